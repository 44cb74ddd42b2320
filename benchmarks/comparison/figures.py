"""The arithmetic of the comparison: runs in, figures out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Figures", "Run", "next_count", "ratio", "summarise"]


@dataclass(frozen=True)
class Run:
    """One run of one client: so many messages in so many seconds.

    `cpu` is what the client's own process used of the processor, user and system, in seconds, and
    `peak` the most memory that it had, in MiB; 0 for one that does not say.
    """

    messages: int
    seconds: float
    cpu: float
    peak: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """The processor's time a message."""
        return self.cpu / self.messages * 1e6


@dataclass(frozen=True)
class Figures:
    """What several runs of one client come to."""

    #: Messages a second: the median of the runs, the slowest and the fastest.
    rate: float
    slowest: float
    fastest: float
    #: Microseconds of the processor a message, the median.
    cpu: float
    runs: int
    #: MiB of memory at the worst moment of any run; 0 where that is not known.
    peak: float = 0.0

    @property
    def spread(self) -> float:
        """Half of the distance between the fastest and the slowest, as a share of the median."""
        return (self.fastest - self.slowest) / 2 / self.rate


def summarise(runs: Sequence[Run]) -> Figures:
    """Sum up the runs of a client.

    Raises:
        ValueError: there is none.
    """
    if not runs:
        raise ValueError("no run to sum up")
    rates = [run.rate for run in runs]
    cpu = median(run.cpu_microseconds for run in runs)
    peak = max(run.peak for run in runs)
    return Figures(median(rates), min(rates), max(rates), cpu, len(runs), peak)


def ratio(figures: Mapping[str, Figures], name: str, base: str) -> float | None:
    """Give how many times as many messages a second one sends as the other; None without both."""
    if name not in figures or base not in figures:
        return None
    return figures[name].rate / figures[base].rate


def next_count(run: Run, seconds: float, connections: int) -> int:
    """Choose how many messages make a run of some seconds, seen what one run took.

    A short run says little, as connecting and warming up weigh on it: at most twenty times as many.
    Every connection gets as many as the others, so that none is waited for at the end.
    """
    wanted = run.messages * min(20.0, seconds / run.seconds)
    return max(1, math.ceil(wanted / connections)) * connections
