"""When a deferred message is tried again, and when that ends: arithmetic only."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadValue

__all__ = ["Schedule"]

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Growing delays, in seconds. RFC 5321, section 4.5.4.1, asks for some four to five days.

    Time is counted from attempt to attempt, and one step counts for a day at most: a clock that
    jumps forward makes a message neither old nor lost, one that jumps back makes it due.

    Args:
        first: the delay after the first attempt.
        factor: how much longer each delay is than the one before.
        longest: where the delays stop growing.
        jitter: the share by which chance makes a delay longer, so that messages that failed
            together do not come back together.
        lifetime: how long a message is tried; after that it fails.

    Raises:
        BadValue: a number is out of its range.
    """

    first: float = 300.0
    factor: float = 2.0
    longest: float = 4 * 3600.0
    jitter: float = 0.25
    lifetime: float = 5 * _DAY

    def __post_init__(self) -> None:
        for name, low in (
            ("first", 0),
            ("factor", 1),
            ("longest", 0),
            ("jitter", 0),
            ("lifetime", 0),
        ):
            if not low <= getattr(self, name) < float("inf"):
                raise BadValue(name, f"not a number of at least {low}")

    def delay(self, attempts: int, chance: float) -> float:
        """Tell how long to wait after so many attempts.

        Args:
            attempts: at least 1.
            chance: from 0 to 1, drawn by the caller.
        """
        # Beyond some doublings the power only overflows.
        grown = self.first * self.factor ** min(attempts - 1, 64)
        return float(min(grown, self.longest) * (1 + self.jitter * chance))

    def add(self, waited: float, gap: float, delay: float) -> float:
        """Count one more step of waiting: what the clock says, but not less than was agreed.

        Args:
            waited: what was counted so far.
            gap: the seconds from the attempt before to this one, by the clock.
            delay: what the attempt before had asked for.
        """
        return waited + min(max(gap, delay), max(_DAY, delay))

    def is_due(self, now: float, at: float, delay: float) -> bool:
        """Tell whether the delay after an attempt is over; a clock that went back ends it."""
        return now >= at + delay or now < at - 1

    def is_over(self, waited: float) -> bool:
        """Tell whether a message was tried for long enough."""
        return waited >= self.lifetime
