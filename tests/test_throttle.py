"""How fast a relay may be sent to."""

from __future__ import annotations

import sys
import threading

import pytest

from smtps.errors import BadValue
from smtps.receipt import Outcome, Receipt, RecipientResult
from smtps.reply import Reply
from smtps.throttle import Throttle, parse_rate


def receipts(count: int, code: int = 250) -> list[Receipt]:
    reply = Reply(code, None, ("x",))
    outcome = Outcome.ACCEPTED if code == 250 else Outcome.DEFERRED
    results = (RecipientResult("x@y.example", outcome, reply),)
    return [Receipt(0, None, "", results, reply)] * count


def second(throttle: Throttle, now: float, count: int, code: int = 250) -> None:
    throttle.heard(receipts(count, code), now)
    throttle.heard((), now + 1.0)


@pytest.mark.parametrize(
    ("text", "rate"), [("14/s", 14.0), ("30/min", 0.5), ("3600/h", 1.0), ("office365", 0.5)]
)
def test_a_rate_is_read(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "14", "14/d", "-1/s", "0/s", "x/s", "1e9/s", "gmail"])
def test_what_is_no_rate_names_the_way_out(text: str) -> None:
    with pytest.raises(BadValue, match="office365"):
        parse_rate(text)


def test_without_a_rate_everything_may_go() -> None:
    throttle = Throttle(None, 8)
    assert throttle.take(1000, 0.0) == 1000
    assert throttle.pause() == 0.0


def test_a_rate_is_kept_over_time() -> None:
    throttle = Throttle(14.0, 8)
    taken = sum(throttle.take(100, tick / 100) for tick in range(1001))
    assert taken == pytest.approx(140, abs=2)


def test_the_pause_ends_when_one_more_may_go() -> None:
    throttle = Throttle(10.0, 8)
    assert throttle.take(5, 0.0) == 1
    assert throttle.take(5, 0.0) == 0
    assert throttle.pause() == pytest.approx(0.1)
    assert throttle.take(5, 0.101) == 1


def test_what_was_not_used_is_given_back() -> None:
    throttle = Throttle(10.0, 8)
    assert throttle.take(1, 0.0) == 1
    throttle.give_back(1)
    assert throttle.take(1, 0.0) == 1


@pytest.mark.parametrize("code", [421, 432, 450, 451, 454])
def test_a_server_that_says_it_is_too_much_gets_half_on_half_of_the_connections(
    code: int,
) -> None:
    throttle = Throttle(None, 8)
    second(throttle, 0.0, 1000)
    throttle.heard(receipts(800), 1.0)
    throttle.heard(receipts(200, code), 2.1)
    assert throttle.connections == 4
    assert throttle.rate is not None
    assert 200 <= throttle.rate <= 500


def test_a_few_mailboxes_that_are_busy_mean_nothing() -> None:
    throttle = Throttle(None, 8)
    throttle.heard(receipts(980), 0.0)
    second(throttle, 0.5, 20, 450)
    assert throttle.rate is None
    assert throttle.connections == 8


def test_it_becomes_faster_again_slowly_and_then_without_a_limit() -> None:
    throttle = Throttle(None, 4)
    second(throttle, 0.0, 1000)
    second(throttle, 1.0, 1000, 451)
    limited = throttle.rate
    assert limited is not None
    second(throttle, 2.0, 400)
    assert throttle.rate is not None
    assert limited < throttle.rate < 1.5 * limited
    for now in range(3, 60):
        second(throttle, float(now), 400)
    assert throttle.rate is None
    assert throttle.connections == 4


def test_a_chosen_rate_is_never_exceeded() -> None:
    throttle = Throttle(14.0, 4)
    second(throttle, 0.0, 14)
    second(throttle, 1.0, 14, 421)
    assert throttle.rate is not None
    assert throttle.rate < 14
    for now in range(2, 60):
        second(throttle, float(now), 14)
    assert throttle.rate == 14.0


def test_threads_that_share_a_rate_do_not_exceed_it() -> None:
    throttle = Throttle(1_000_000.0, 8)
    throttle.take(0, 1.0)
    throttle.take(0, 2.0)
    taken: list[int] = []

    def take() -> None:
        taken.append(sum(throttle.take(1, 2.0) for _ in range(25_000)))

    threads = [threading.Thread(target=take) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sum(taken) == 100_000


def test_a_clock_that_was_read_before_gives_no_more() -> None:
    throttle = Throttle(10.0, 1)
    throttle.take(1, 1.0)
    times = [2.0, 1.5, 2.0, 1.5, 2.0]
    assert [throttle.take(9, now) for now in times] == [1, 0, 0, 0, 0]
