"""Time functions in turn, so that a machine that slows down slows all of them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns

__all__ = ["Turn", "ratio", "take_turns"]

#: What is called before a turn, and what is timed in it.
Turn = tuple[Callable[[], object], Callable[[], object]]

#: How long one turn lasts at least, in nanoseconds, and the most calls of it.
_TURN = 400_000
_MOST_CALLS = 20_000


def take_turns(turns: dict[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Give the nanoseconds a call of each function, for each round."""
    calls = {name: _calls(turn) for name, turn in turns.items()}
    found: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, (before, function) in turns.items():
            before()
            found[name].append(_time(function, calls[name]))
    return found


def _calls(turn: Turn) -> int:
    before, function = turn
    before()
    function()
    once = min(_time(function, 1) for _ in range(3))
    return max(1, min(_MOST_CALLS, round(_TURN / max(once, 1))))


def _time(function: Callable[[], object], calls: int) -> float:
    turns = range(calls)
    start = perf_counter_ns()
    for _ in turns:
        function()
    return (perf_counter_ns() - start) / calls


def ratio(of: list[float], to: list[float]) -> float:
    """Give how many times as fast the first is as the second: the median of the rounds."""
    return median(slow / quick for quick, slow in zip(of, to, strict=True))
