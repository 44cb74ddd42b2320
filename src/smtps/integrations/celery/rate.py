"""How fast a worker may go: a bucket of tokens in Redis that all workers share, behind a pool."""

from __future__ import annotations

import logging

from ...throttle import Throttle, parse_rate
from .memory import Memory, MemoryUnavailable
from .scripts import TAKE

__all__ = ["Pace", "SharedRate"]

_log = logging.getLogger("smtps.celery")
# What may be sent at once after a pause, in seconds of the rate; as a pool's own throttle has it.
_BURST = 0.1
# How many messages are claimed in one step. Those that a rate holds back are not claimed.
_GROUP = 16
_WHAT = "the rate that all workers share"


class SharedRate:
    """Decide how many messages this worker may send now; the bucket is filled by Redis's own clock.

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
        self._run(-count)

    def _run(self, count: int) -> tuple[int, int]:
        arguments = [repr(self._rate), repr(self._most), count]
        taken, milliseconds = self._memory.run(TAKE, [self._key], arguments, what=_WHAT)
        return int(taken), int(milliseconds)


class Pace(Throttle):
    """The throttle of a worker's pool: slower when the server says so, and within the shared rate.

    Args:
        connections: the most of them.
        at_a_time: the most messages that a connection takes at a time, for those that wait there
            are claimed.
        shared: the rate of all workers together.
    """

    def __init__(self, connections: int, at_a_time: int, shared: SharedRate | None) -> None:
        super().__init__(None, connections)
        self._at_a_time = at_a_time
        self._shared = shared
        self._wait = 0.0
        self._failure: MemoryUnavailable | None = None

    @property
    def group(self) -> int:
        """How many messages are claimed in one step."""
        return _GROUP if self._shared is None else 1

    def take(self, most: int, now: float) -> int:
        """Give how many messages may go now. If Redis cannot tell, the next `check` says so."""
        allowed = super().take(min(most, self._at_a_time), now)
        if self._shared is None or not allowed:
            return allowed
        try:
            taken, self._wait = self._shared.take(allowed)
        except MemoryUnavailable as error:
            # Raised here it would end a connection that waits for answers.
            self._failure = error
            return allowed
        super().give_back(allowed - taken)
        return taken

    def give_back(self, count: int) -> None:
        """Note that fewer messages went than were taken."""
        super().give_back(count)
        if self._shared is not None and count:
            try:
                self._shared.give_back(count)
            except MemoryUnavailable as error:
                # They are lost, and the workers slower for once.
                _log.debug("%s", error)

    def pause(self) -> float:
        """Give the seconds until one more message may go."""
        return max(super().pause(), self._wait)

    def check(self) -> None:
        """Make sure that what was taken was allowed.

        Raises:
            MemoryUnavailable: it was not.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
