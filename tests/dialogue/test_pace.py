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


def test_before_any_answer_nothing_is_known() -> None:
    pace = Pace()
    assert (pace.delay, pace.last_delay, pace.rate, pace.setbacks) == (0, 0, 0, 0)
    assert (pace.careful, pace.is_strict, pace.is_dismissed) == (False, False, False)


def test_the_shortest_delay_is_kept_and_the_last_one_is_known() -> None:
    pace, seen = Pace(), []
    for number, delay in enumerate([3.0, 2.5, 4.0], start=1):
        pace.wrote(number, 10.0 * number)
        pace.answered(number, 10.0 * number + delay)
        seen.append((pace.delay, pace.last_delay))
    assert seen == [(3.0, 3.0), (2.5, 2.5), (2.5, 4.0)]


def test_the_delay_of_a_write_is_that_of_its_first_message() -> None:
    pace = Pace()
    pace.wrote(3, 0.0)
    pace.wrote(5, 1.0)
    pace.answered(1, 0.5)
    assert pace.last_delay == 0.5
    pace.answered(3, 2.0)
    assert pace.last_delay == 0.5
    pace.answered(4, 4.0)
    assert pace.last_delay == 3.0


def test_answers_to_several_writes_at_once_tell_the_delay_of_the_last() -> None:
    pace = Pace()
    pace.wrote(2, 0.0)
    pace.wrote(4, 3.0)
    pace.answered(4, 5.0)
    assert (pace.delay, pace.last_delay) == (2.0, 2.0)


def test_the_rate_is_counted_from_the_first_write_and_then_between_answers() -> None:
    pace = Pace()
    pace.wrote(10, 0.0)
    pace.wrote(15, 0.25)
    pace.answered(10, 0.5)
    assert pace.rate == 20
    pace.wrote(100, 0.5)
    pace.answered(15, 1.0)
    assert pace.rate == 20
    pace.answered(40, 1.5)
    assert pace.rate == 50


def test_the_best_of_the_last_ten_measurements_is_the_rate() -> None:
    pace, rates = Pace(), []
    for number, count in enumerate([100, *[10] * 10]):
        before = 100 + 10 * (number - 1) if number else 0
        pace.wrote(before + count, float(number))
        pace.answered(before + count, number + 1.0)
        rates.append(pace.rate)
    assert rates == [100.0] * 10 + [10.0]


@pytest.mark.parametrize(("seconds", "rate"), [(0.0009, 0), (0.001, 5000)])
def test_what_is_counted_in_less_than_a_millisecond_is_no_rate(seconds: float, rate: float) -> None:
    pace = Pace()
    pace.wrote(5, 0.0)
    pace.answered(5, seconds)
    assert pace.rate == rate


def test_what_is_counted_in_less_than_the_delay_is_no_rate() -> None:
    pace = Pace()
    pace.wrote(10, 0.0)
    pace.answered(10, 1.0)
    pace.wrote(20, 0.5)
    pace.wrote(510, 0.6)
    pace.answered(20, 1.75)
    pace.answered(510, 1.9)
    assert pace.rate == 10


@pytest.mark.parametrize(("sent", "most"), [(15, 32), (16, 48)])
def test_a_window_of_which_half_was_used_grows(sent: int, most: int) -> None:
    pace = Pace()
    pace.wrote(sent, 0.0)
    pace.answered(sent, 0.5)
    assert pace.most == most


@pytest.mark.parametrize(("delay", "most"), [(4.002, 128), (4.003, 64)])
def test_growing_ends_where_answers_take_four_times_as_long(delay: float, most: int) -> None:
    pace = Pace()
    pace.wrote(32, 0.0)
    pace.wrote(96, 0.0)
    pace.answered(32, 1.0)
    pace.answered(96, delay)
    assert pace.most == most


def test_a_measured_window_has_the_same_upper_end() -> None:
    pace = Pace()
    pace.wrote(1_000_000, 0.0)
    pace.wrote(1_000_032, 0.0)
    pace.answered(1_000_000, 0.01)
    pace.answered(1_000_032, 1.0)
    assert pace.most == 4096


def test_a_window_that_was_measured_follows_each_measurement() -> None:
    pace = Pace()
    pace.wrote(32, 0.0)
    pace.wrote(96, 0.0)
    pace.answered(32, 1.0)
    pace.answered(96, 5.0)
    assert pace.most == 64
    pace.wrote(296, 5.0)
    pace.answered(296, 6.0)
    assert pace.most == int(2 * 200 * 1.002)


def test_as_many_answers_as_the_window_is_wide_make_up_for_a_refusal() -> None:
    pace, sizes = Pace(), []
    pace.set_back()
    pace.took_one(taken=True)
    for answered in (29, 30, 31, 300):
        pace.wrote(answered, 1.0)
        pace.answered(answered, 1.0)
        sizes.append(pace.most)
    assert sizes == [31, 32, 32, 32]


def test_a_window_that_was_chosen_comes_back_after_a_refusal() -> None:
    pace = Pace(3)
    pace.set_back()
    assert pace.most == 1
    pace.took_one(taken=True)
    pace.took_one(taken=True)
    assert (pace.careful, pace.most) == (False, 3)
    pace.took_one(taken=True)
    assert pace.most == 3


def test_a_server_that_never_broke_off_is_trusted_again_after_each_refusal() -> None:
    pace = Pace()
    for _ in range(5):
        pace.set_back()
        pace.took_one(taken=True)
        assert not pace.careful
    assert pace.setbacks == 5


def test_a_strict_server_that_refuses_nothing_is_sent_windows() -> None:
    pace = Pace(fresh=False)
    pace.is_strict = True
    pace.took_one(taken=True)
    assert not pace.careful


def test_a_window_of_two_pipelines() -> None:
    assert not Pace(2).careful


def test_the_messages_of_another_window_are_counted_from_its_own_first_one() -> None:
    pace, sizes = Pace(), []
    pace.set_back()
    pace.took_one(taken=True)
    for window in range(3):
        pace.begin()
        pace.wrote(2, 10.0 * window)
        pace.answered(2, 10.0 * window + 0.5)
        sizes.append(pace.most)
    assert sizes == [4, 6, 8]
    assert (pace.last_delay, pace.rate) == (0.5, 4.0)


def test_what_a_broken_window_left_unanswered_is_no_delay_of_the_next() -> None:
    pace = Pace()
    pace.wrote(10, 0.0)
    pace.wrote(60, 0.0)
    pace.begin()
    pace.wrote(5, 9.0)
    pace.answered(5, 10.0)
    assert (pace.last_delay, pace.rate) == (1.0, 5.0)
