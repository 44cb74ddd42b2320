"""How many messages may be in flight: what was measured, and what was refused."""

from __future__ import annotations

from collections import deque

import pytest

from smtps.dialogue.pace import Pace


def run(pace: Pace, *, delay: float, rate: float, seconds: float) -> None:
    """Let a server answer `rate` messages a second, each `delay` after it was written."""
    now = begun = 100.0
    sent, answered, credit = 0, 0, 0.0
    under_way: deque[tuple[int, float]] = deque()
    arrived = 0
    step = 0.0005
    while now < begun + seconds:
        if sent - answered < pace.most:
            sent = answered + pace.most
            pace.wrote(sent, now)
            under_way.append((sent, now + delay))
        while under_way and under_way[0][1] <= now:
            arrived = under_way.popleft()[0]
        credit = min(credit + rate * step, rate * 0.01) if arrived > answered else 0.0
        done = min(arrived, answered + int(credit))
        if done > answered:
            credit -= done - answered
            answered = done
            pace.answered(answered, now)
        now += step


@pytest.mark.parametrize(
    ("delay", "rate"), [(0.02, 30_000), (0.02, 1_000), (0.1, 5_000), (0.05, 300)]
)
def test_the_window_grows_to_bandwidth_times_delay(delay: float, rate: float) -> None:
    pace = Pace()
    run(pace, delay=delay, rate=rate, seconds=2)
    assert delay * rate <= pace.most <= max(16, 4 * (delay + 0.004) * rate)
    assert pace.delay == pytest.approx(delay, rel=0.2)
    assert pace.rate == pytest.approx(rate, rel=0.3)


def test_a_slow_server_on_the_same_host_gets_a_small_window() -> None:
    pace = Pace()
    run(pace, delay=0.001, rate=1000, seconds=2)
    assert pace.most == 16


def test_the_window_has_an_upper_end() -> None:
    pace = Pace()
    run(pace, delay=0.2, rate=1e6, seconds=2)
    assert 4000 < pace.most <= 4096


def test_a_window_that_was_chosen_is_kept() -> None:
    pace = Pace(7)
    assert pace.most == 7
    run(pace, delay=0.02, rate=1000, seconds=1)
    assert pace.most == 7


def test_after_a_refused_transaction_the_next_waits_and_then_the_window_grows_again() -> None:
    pace = Pace()
    pace.set_back()
    assert (pace.careful, pace.most) == (True, 1)
    pace.took_one(taken=False)
    assert pace.careful
    pace.took_one(taken=True)
    assert (pace.careful, pace.most) == (False, 2)
    pace.wrote(2, 1.0)
    pace.answered(2, 1.1)
    assert pace.most == 4


def test_a_server_that_broke_off_before_is_asked_one_by_one_after_a_few_refusals() -> None:
    pace = Pace()
    pace.is_strict = True
    for _ in range(2):
        pace.set_back()
        pace.took_one(taken=True)
        assert not pace.careful
    pace.set_back()
    pace.took_one(taken=True)
    assert pace.careful


def test_after_a_connection_that_was_of_no_use_the_first_messages_go_one_by_one() -> None:
    pace = Pace(fresh=False)
    assert (pace.careful, pace.most) == (True, 1)
    pace.took_one(taken=True)
    assert (pace.careful, pace.most) == (False, 2)


def test_a_window_of_one_never_pipelines() -> None:
    pace = Pace(1)
    pace.took_one(taken=True)
    assert pace.careful


def test_the_window_doubles_with_each_round_trip_that_filled_it() -> None:
    pace = Pace()
    now, sent, sizes = 1.0, 0, []
    for _ in range(8):
        sent += pace.most
        sizes.append(pace.most)
        pace.wrote(sent, now)
        now += 0.02
        pace.answered(sent, now)
    assert sizes == [32, 64, 128, 256, 512, 1024, 2048, 4096]


def test_a_window_that_was_not_filled_does_not_grow() -> None:
    pace = Pace()
    for number in range(1, 200):
        pace.wrote(number, number * 1.0)
        pace.answered(number, number + 0.02)
    assert pace.most == 32


def test_a_window_that_only_fills_a_queue_grows_no_more() -> None:
    pace = Pace()
    run(pace, delay=0.02, rate=500, seconds=1)
    assert pace.most <= 64
