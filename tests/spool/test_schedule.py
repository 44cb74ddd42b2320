"""When a message is tried again: arithmetic, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps import BadValue, Schedule

DAY = 86400.0
gaps = st.floats(-1e12, 1e12)


def test_delays_double_from_five_minutes_to_four_hours() -> None:
    schedule = Schedule()
    assert [schedule.delay(number, 0) / 60 for number in range(1, 9)] == [
        *(5, 10, 20, 40, 80, 160, 240, 240)
    ]


def test_chance_makes_a_delay_longer_by_the_jitter_at_most() -> None:
    schedule = Schedule(first=100, jitter=0.5)
    assert schedule.delay(1, 0.0) == 100
    assert schedule.delay(1, 0.5) == 125
    assert schedule.delay(1, 1.0) == 150


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_no_delay_is_longer_than_the_longest_with_its_jitter(attempts: int, chance: float) -> None:
    schedule = Schedule()
    assert schedule.first <= schedule.delay(attempts, chance) <= 1.25 * schedule.longest


def test_a_message_is_due_when_its_delay_is_over_and_not_before() -> None:
    schedule = Schedule()
    assert not schedule.is_due(now=1299.0, at=1000.0, delay=300.0)
    assert schedule.is_due(now=1300.0, at=1000.0, delay=300.0)


def test_a_clock_that_went_back_makes_a_message_due() -> None:
    assert Schedule().is_due(now=998.0, at=1000.0, delay=300.0)


def test_a_message_is_tried_for_five_days() -> None:
    schedule = Schedule()
    waited, attempts = 0.0, 1
    while not schedule.is_over(waited):
        delay = schedule.delay(attempts, 0)
        waited = schedule.add(waited, gap=delay, delay=delay)
        attempts += 1
    assert 5 * DAY <= waited < 5.2 * DAY
    assert attempts == 36


def test_a_clock_that_jumps_forward_ages_a_message_by_a_day_at_most() -> None:
    assert Schedule().add(0.0, gap=3650 * DAY, delay=300.0) == DAY


def test_a_clock_that_jumps_back_ages_a_message_by_what_was_agreed() -> None:
    assert Schedule().add(100.0, gap=-3650 * DAY, delay=300.0) == 400.0


def test_a_run_once_a_day_still_comes_to_an_end_after_five() -> None:
    schedule = Schedule()
    waited = 0.0
    for _ in range(5):
        waited = schedule.add(waited, gap=DAY, delay=300.0)
    assert schedule.is_over(waited)


@given(st.floats(0, 1e7), gaps, st.floats(0, 18000))
def test_waiting_only_grows_whatever_the_clock_says(
    waited: float, gap: float, delay: float
) -> None:
    assert waited + delay <= Schedule().add(waited, gap, delay) <= waited + DAY


@pytest.mark.parametrize("name", ["first", "factor", "longest", "jitter", "lifetime"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_a_number_that_makes_no_sense_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(BadValue, match=f"^{name}: "):
        Schedule(**{name: value})
