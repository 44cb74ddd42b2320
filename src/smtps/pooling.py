"""What the blocking and the asyncio pool share: who sends what, how fast, and why not faster."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Sized
from dataclasses import dataclass
from time import monotonic, thread_time
from typing import Any, Generic, Protocol, TypeVar

from .component import Component
from .dialogue.closing import close_session
from .dialogue.many import send_all
from .dialogue.work import Job, Supply, Work
from .errors import BadValue, SMTPSError
from .explaining import Gauge
from .ops import Dialogue
from .receipt import Receipt
from .session import Session
from .throttle import PRESETS, Throttle, parse_rate

__all__ = [
    "Connection",
    "LaneSupply",
    "Origin",
    "PoolOptions",
    "Share",
    "begin",
    "finish",
    "note",
    "unsent",
]

# What is too much on its own does not get better by asking at once.
_SHORTEST_PAUSE = 0.01
# To connect takes as many round trips as some eight messages one after the other.
_WORTH_CONNECTING = 8
# A connection above the number that is allowed now looks up so often, in seconds.
_GLANCE = 0.25

# How long the time of the processor that was noted last counts, in seconds.
_CPU_INTERVAL = 0.01

C = TypeVar("C", bound=Component)


@dataclass(slots=True)
class Connection(Generic[C]):
    """One of the pool's components, and what it has been through."""

    smtp: C
    born: float = 0.0
    used: float = 0.0
    sent: int = 0


class PoolOptions(Generic[C]):
    """The arguments of a pool, checked.

    Raises:
        BadValue: one of them cannot be used.
    """

    def __init__(
        self,
        make: Callable[[], C],
        *,
        connections: int,
        max_messages: int | None,
        max_idle: float,
        max_age: float | None,
        rate: str | None,
        per_connection: int | None,
    ) -> None:
        preset = PRESETS.get(rate) if rate is not None else None
        if preset is not None and preset.connections is not None:
            connections = min(connections, preset.connections)
        for name, value in (
            ("connections", connections),
            ("max_messages", max_messages),
            ("per_connection", per_connection),
        ):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise BadValue(name, "expected a whole number of at least 1")
        self.make = make
        self.connections = connections
        self.max_messages = max_messages
        self.max_idle = max_idle
        self.max_age = max_age
        self.window = per_connection
        self.throttle = Throttle(None if rate is None else parse_rate(rate), connections)

    def new(self) -> Connection[C]:
        """Make a component that is not connected yet."""
        smtp = self.make()
        smtp._live.most_messages = self.max_messages
        return Connection(smtp)

    def connections_for(self, items: object) -> int:
        """Tell how many connections are of use for items, whose number may be known."""
        if not isinstance(items, Sized):
            return self.connections
        return max(1, min(self.connections, -(-len(items) // _WORTH_CONNECTING)))

    def is_worn(self, connection: Connection[C], now: float) -> bool:
        """Whether a connection that is up has to be replaced before the next message."""
        if self.max_age is not None and now - connection.born >= self.max_age:
            return True
        return connection.smtp._live.room == 0

    def is_doubtful(self, connection: Connection[C], now: float) -> bool:
        """Whether the server may have closed a connection that was idle for so long."""
        return now - connection.used >= self.max_idle


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


def begin(
    options: PoolOptions[C], connection: Connection[C], work: Work, gauge: Gauge
) -> Dialogue[None]:
    """Make a connection busy, and give the dialogue that it is to carry out."""
    session = connection.smtp._enter("send_many")
    session.meter = gauge.meter
    if not connection.smtp.connected:
        connection.born = monotonic()
    return _carried(session, work, options.window)


def _carried(session: Session, work: Work, window: int | None) -> Dialogue[None]:
    """Send what one connection of several takes, and keep the connection."""
    try:
        yield from send_all(session, work, window, keep=True)
    except SMTPSError as error:
        work.end()
        yield from close_session(session, error)
        raise
    work.end()


def finish(connection: Connection[Any]) -> None:
    """Make a connection free again; what was left in the middle of something is dropped."""
    smtp = connection.smtp
    smtp._running = None
    if smtp.connected and not smtp._live.resting:
        smtp._driver.abort()
    if not smtp._live.resting:
        smtp._live.reset()


def note(
    options: PoolOptions[C], receipts: list[Receipt], gauge: Gauge, share: Share, began: float
) -> None:
    """Learn from receipts, and from how long they took.

    Args:
        began: what `time.thread_time` said before the first.
    """
    now = monotonic()
    options.throttle.heard(receipts, now)
    if now - gauge.now >= _CPU_INTERVAL:
        # The system is slow to tell.
        gauge.cpu = thread_time() - began
    gauge.now = now
    gauge.receipts += len(receipts)
    gauge.held_back = share.held_back


def unsent(work: Work, share: Share, errors: list[SMTPSError | None]) -> list[Receipt]:
    """Give the receipts of what every connection has left.

    Raises:
        SMTPSError: no connection could be made at all.
    """
    found = [error for error in errors if error is not None]
    if len(found) == len(errors) and not share.left:
        raise found[0]
    receipts = [work.unsent(job, found[0]) for job in share.left if found]
    share.left.clear()
    return receipts


class Origin:
    """Tells whether this is still the process that made the pool."""

    def __init__(self) -> None:
        self._process = os.getpid()

    def has_forked(self) -> bool:
        """Tell, once in each process, that connections belong to the parent."""
        process = os.getpid()
        forked, self._process = process != self._process, process
        return forked
