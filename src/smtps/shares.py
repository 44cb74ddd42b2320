"""The items of one `send_many`, dealt out to the connections of a pool."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Protocol

from .dialogue.work import Job, Supply
from .throttle import Throttle

__all__ = ["LaneSupply", "Share"]

# What is too much on its own does not get better by asking at once.
_SHORTEST_PAUSE = 0.01
# A connection above the number that is allowed now looks up so often, in seconds.
_GLANCE = 0.25


class _Exhaustible(Protocol):
    @property
    def exhausted(self) -> bool: ...
    @property
    def failure(self) -> BaseException | None: ...
    def take(
        self, most: int, wait: bool, /
    ) -> tuple[int, list[Any]] | Awaitable[tuple[int, list[Any]]]: ...


class Share:
    """The items of one `send_many`, dealt out to several connections at the throttle's pace."""

    def __init__(
        self,
        supply: _Exhaustible,
        throttle: Throttle,
        lanes: int,
        wanted: Callable[[], int] = lambda: 0,
    ) -> None:
        self.supply = supply
        #: Tells how many others wait for a connection, and how many are being let go for them.
        self._wanted = wanted
        self.leaving = 0
        self.throttle = throttle
        #: Connections that still carry messages, and what those that gave up have left.
        self.alive = lanes
        self.left: deque[Job] = deque()
        #: Seconds that connections had to wait for the throttle.
        self.held_back = 0.0

    def lets_go(self) -> bool:
        """Whether the connection that asks is to end, because somebody else waits for one."""
        if self.alive < 2 or self._wanted() <= self.leaving:
            return False
        self.leaving += 1
        return True

    def lanes(self) -> list[LaneSupply]:
        """Give the supply of each connection."""
        return [LaneSupply(self, number) for number in range(self.alive)]


class LaneSupply(Supply):
    """What one connection of several takes of the items."""

    def __init__(self, share: Share, number: int) -> None:
        self._share = share
        self._number = number
        self._is_over = False
        self._pause = 0.0
        self._held_since: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing more for this connection."""
        return self._is_over or (self._share.supply.exhausted and not self._share.left)

    @property
    def failure(self) -> BaseException | None:
        """Nothing: the pool raises what the iterator raised, once for all connections."""
        return None

    def pause(self, most: float, /) -> float:
        """Give the seconds until this connection may ask again, and at most `most`."""
        pause, self._pause = min(self._pause, most), 0.0
        if pause:
            self._held_since = monotonic()
        return pause

    def adopt(self, jobs: list[Job], /) -> bool:
        """Leave jobs to the other connections, and end; false if this is the last."""
        if self._share.alive < 2:
            return False
        self._share.left.extend(jobs)
        self.end()
        return True

    def adopted(self) -> list[Job]:
        """Give one of the jobs that others have left."""
        return [self._share.left.popleft()] if self._share.left else []

    def end(self) -> None:
        """Take no more."""
        if not self._is_over:
            self._is_over = True
            self._share.alive -= 1

    def take(
        self, most: int, wait: bool, /
    ) -> tuple[int, list[Any]] | Awaitable[tuple[int, list[Any]]]:
        """Give the next items, as many as the throttle lets this connection have now."""
        throttle = self._share.throttle
        if self._held_since is not None:
            self._share.held_back += monotonic() - self._held_since
            self._held_since = None
        if self._share.lets_go():
            self.end()
            return 0, []
        if self._number >= throttle.connections:
            self._pause = _GLANCE
            return 0, []
        allowed = throttle.take(most, monotonic())
        if allowed == 0:
            self._pause = max(throttle.pause(), _SHORTEST_PAUSE)
            return 0, []
        taken = self._share.supply.take(allowed, wait)
        if isinstance(taken, tuple):
            throttle.give_back(allowed - len(taken[1]))
            return taken
        return self._taken_later(taken, allowed)

    async def _taken_later(
        self, awaited: Awaitable[tuple[int, list[Any]]], allowed: int
    ) -> tuple[int, list[Any]]:
        taken = await awaited
        self._share.throttle.give_back(allowed - len(taken[1]))
        return taken
