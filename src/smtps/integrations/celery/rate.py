"""A rate that all workers share: a bucket of tokens in Redis, filled by Redis's own clock."""

from __future__ import annotations

from ...throttle import parse_rate
from .memory import Memory
from .scripts import TAKE

__all__ = ["SharedRate"]

# What may be sent at once after a pause, in seconds of the rate; as a pool's own throttle has it.
_BURST = 0.1
_WHAT = "the rate that all workers share"


class SharedRate:
    """Decide how many messages this worker may send now.

    Args:
        rate: as "14/s".
        relay: whose rate it is; each relay has its own.
    """

    def __init__(self, memory: Memory, rate: str, relay: str) -> None:
        self._memory = memory
        self._rate = parse_rate(rate)
        self._most = max(1.0, _BURST * self._rate)
        self._key = f"{memory.prefix}rate:{relay}"

    def take(self, most: int) -> tuple[int, float]:
        """Give how many of `most` messages may go now, and the seconds until one more may.

        Raises:
            MemoryUnavailable: Redis could not be asked.
        """
        taken, milliseconds = self._run(most)
        return taken, milliseconds / 1000

    def give_back(self, count: int) -> None:
        """Note that fewer messages went than were taken.

        Raises:
            MemoryUnavailable: Redis could not be asked.
        """
        if count:
            self._run(-count)

    def _run(self, count: int) -> tuple[int, int]:
        arguments = [repr(self._rate), repr(self._most), count]
        taken, milliseconds = self._memory.run(TAKE, [self._key], arguments, what=_WHAT)
        return int(taken), int(milliseconds)
