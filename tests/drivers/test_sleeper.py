"""How a task waits on asyncio: the loop is kept awake where answers come at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smtps.drivers.sleeper import Sleeper
from smtps.errors import TimedOut
from smtps.ops import Deadline

QUICK, SLOW = 50e-6, 1e-3


class Loop:
    """Time passes as the test says, and each turn that is asked for takes 10 us of it."""

    def __init__(self, real: asyncio.AbstractEventLoop) -> None:
        self.create_future = real.create_future
        self.now = 1.0
        self.turns: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, function: Callable[..., object], *arguments: Any) -> None:
        self.turns.append((function, arguments))

    def turn(self) -> bool:
        """Give everyone who asked for it a turn, and tell whether somebody did."""
        turns, self.turns = self.turns, []
        for function, arguments in turns:
            function(*arguments)
        self.now += 10e-6
        return bool(turns)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with asyncio.Runner() as runner:
        yield Loop(runner.get_loop())


def slept(sleeper: Sleeper, loop: Loop, delay: float, *, near: bool = True) -> bool:
    """Wait for an answer that takes so many seconds, and tell whether any of that was asleep."""
    asleep = False
    until = loop.now + delay
    waiting = sleeper.wait(Deadline(), near=near)
    waiting.send(None)
    while loop.now < until:
        if not loop.turn():
            asleep = True
            loop.now = until
    sleeper.wake()
    with pytest.raises(StopIteration):
        waiting.send(None)
    while loop.turn():
        pass
    return asleep


@pytest.fixture
def sleeper(loop: Loop) -> Sleeper:
    return Sleeper(loop)  # type: ignore[arg-type]


def test_the_loop_sleeps_until_the_first_answer_and_not_the_next_if_it_was_quick(
    sleeper: Sleeper, loop: Loop
) -> None:
    assert slept(sleeper, loop, QUICK)
    assert not slept(sleeper, loop, QUICK)
    assert not slept(sleeper, loop, QUICK)


def test_a_loop_sleeps_until_answers_that_are_slow(sleeper: Sleeper, loop: Loop) -> None:
    assert all(slept(sleeper, loop, SLOW) for _ in range(5))


def test_the_loop_is_kept_awake_for_a_tenth_of_a_millisecond_and_not_again_at_once(
    sleeper: Sleeper, loop: Loop
) -> None:
    slept(sleeper, loop, QUICK)
    turns = 0
    waiting = sleeper.wait(Deadline(), near=True)
    waiting.send(None)
    while loop.turn():
        turns += 1
    assert 8 <= turns <= 12
    loop.now += SLOW
    sleeper.wake()
    waiting.close()
    assert slept(sleeper, loop, QUICK)


def test_what_is_no_answer_is_waited_for_asleep(sleeper: Sleeper, loop: Loop) -> None:
    slept(sleeper, loop, QUICK)
    assert slept(sleeper, loop, QUICK, near=False)


def test_a_wait_that_is_cancelled_lets_the_loop_sleep(sleeper: Sleeper, loop: Loop) -> None:
    slept(sleeper, loop, QUICK)
    waiting = sleeper.wait(Deadline(), near=True)
    waiting.send(None)
    waiting.close()
    loop.turn()
    assert not loop.turn()


def test_only_what_is_undecided_waits() -> None:
    async def main() -> None:
        sleeper = Sleeper(asyncio.get_running_loop())
        assert not sleeper.waits
        task = asyncio.ensure_future(sleeper.wait(Deadline(5.0)))
        await asyncio.sleep(0)
        assert sleeper.waits
        task.cancel()
        assert not sleeper.waits
        with pytest.raises(asyncio.CancelledError):
            await task
        sleeper.stop()

    asyncio.run(main())


def test_a_wait_ends_in_time_though_an_earlier_one_was_allowed_more() -> None:
    async def main() -> None:
        sleeper = Sleeper(asyncio.get_running_loop())
        task = asyncio.ensure_future(sleeper.wait(Deadline(60.0)))
        await asyncio.sleep(0)
        sleeper.wake()
        await task
        with pytest.raises(TimedOut, match=r"0\.01"):
            await sleeper.wait(Deadline(0.01))
        sleeper.stop()

    asyncio.run(main())


def test_a_wait_right_behind_another_asks_for_no_more_turns_than_one(
    sleeper: Sleeper, loop: Loop
) -> None:
    slept(sleeper, loop, QUICK)
    for _ in range(3):
        waiting = sleeper.wait(Deadline(), near=True)
        waiting.send(None)
        sleeper.wake()
        waiting.close()
    last = sleeper.wait(Deadline(), near=True)
    last.send(None)
    loop.turn()
    assert len(loop.turns) == 1
    last.close()
