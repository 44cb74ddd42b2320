"""What the blocking and the asyncio pool share: all but how they wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from time import monotonic, thread_time
from typing import Any, ClassVar, Generic, NoReturn, Protocol, TypeVar
from weakref import WeakSet

from .amounts import check_count, check_seconds
from .component import Component
from .dialogue.closing import close_session
from .dialogue.command import command, heed
from .dialogue.many import send_all
from .dialogue.work import Work
from .errors import BadValue, NotConnected, SMTPSError
from .explaining import Explanation, Gauge
from .forks import after_fork
from .ops import Dialogue, Sleep
from .receipt import Receipt
from .session import Session
from .shares import Share
from .throttle import PRESETS, Throttle, parse_rate

__all__ = ["Connection", "Many", "Pooling", "finish"]

# To connect takes as many round trips as some eight messages one after the other.
_WORTH_CONNECTING = 8
# How long the time of the processor that was noted last counts, in seconds.
_CPU_INTERVAL = 0.01

C = TypeVar("C", bound=Component)


@dataclass(slots=True)
class Connection(Generic[C]):
    """One of the pool's components, since when it is connected, and when it was used last."""

    smtp: C
    born: float = 0.0
    used: float = 0.0


class Pooling(Generic[C]):
    """The arguments of a pool, and the account of its connections.

    Raises:
        BadValue: an argument cannot be used.
    """

    #: What a URL stands for.
    _kind: ClassVar[type[Any]]

    def __init__(
        self,
        url_or_factory: str | Callable[[], C],
        *,
        connections: int = 8,
        max_messages: int | None = None,
        max_idle: float = 30.0,
        max_age: float | None = None,
        rate: str | None = None,
        per_connection: int | None = None,
    ) -> None:
        self._make = self._maker(url_or_factory)
        preset = PRESETS.get(rate) if isinstance(rate, str) else None
        self._most = check_count("connections", connections)
        if preset is not None and preset.connections is not None:
            self._most = min(self._most, preset.connections)
        self._max_messages = (
            None if max_messages is None else check_count("max_messages", max_messages)
        )
        self._max_idle = check_seconds("max_idle", max_idle)
        self._max_age = None if max_age is None else check_seconds("max_age", max_age)
        self._window = (
            None if per_connection is None else check_count("per_connection", per_connection)
        )
        self._throttle = Throttle(None if rate is None else parse_rate(rate), self._most)
        self._gauge = Gauge()
        self._start()
        _pools.add(self)

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise TypeError(f"{name} is not pickled: it holds connections; make one where it is used")

    def explain(self) -> Explanation:
        """Tell what kept the last `send_many` from being faster, or the one that is under way."""
        return self._gauge.explain(self._throttle)

    def _start(self) -> None:
        """Begin without a connection."""
        self._idle: list[Connection[C]] = []
        self._busy = 0
        self._waiting = 0
        self._closed = False

    def _start_in_child(self) -> None:
        """Begin anew in a forked child: what is there is the parent's."""
        self._throttle.start_in_child()
        self._start()

    def _maker(self, given: str | Callable[[], C]) -> Callable[[], C]:
        kind = self._kind
        if isinstance(given, str):
            # What is wrong with the URL is told now.
            kind.from_url(given)
            url = given
            return lambda: kind.from_url(url)
        if not callable(given):
            raise BadValue(
                "url_or_factory",
                f"expected a URL, or a function that makes an {kind.__name__},"
                f" not {type(given).__name__}",
            )
        return given

    # --- who has what; whoever calls these holds the pool's lock ----------------------------------

    def _must_wait(self) -> bool:
        return not self._closed and self._busy >= self._most

    def _lend(self, most: int) -> tuple[int, list[Connection[C]]]:
        """Give how many connections the caller has now, `most` at most, and those that are made.

        Raises:
            NotConnected: the pool is closed.
        """
        if self._closed:
            raise NotConnected("the pool is closed; make another")
        count = min(most, self._most - self._busy)
        self._busy += count
        return count, [self._idle.pop() for _ in range(min(count, len(self._idle)))]

    def _take_back(self, count: int, connections: Sequence[Connection[C]]) -> list[C]:
        """Note that so many are free again, and give those that must be closed."""
        now = monotonic()
        self._busy -= count
        connected = [one for one in connections if one.smtp.connected]
        if self._closed:
            return [one.smtp for one in connected]
        for connection in connected:
            connection.used = now
        self._idle += connected
        return []

    def _take_idle(self) -> list[C]:
        """Close the pool, and give what was idle."""
        self._closed = True
        idle, self._idle = self._idle, []
        return [one.smtp for one in idle]

    # --- the connections --------------------------------------------------------------------------

    def _new(self) -> Connection[C]:
        """Make a component that is not connected yet.

        Raises:
            BadValue: the program's function made something else.
        """
        smtp = self._make()
        if not isinstance(smtp, self._kind):
            raise BadValue(
                "url_or_factory",
                f"the function made {type(smtp).__name__}; expected an {self._kind.__name__}",
            )
        smtp._live.most_messages = self._max_messages
        return Connection(smtp)

    def _missing(self) -> int:
        """Tell how many wait for a connection, beyond those that are free."""
        return self._waiting - (self._most - self._busy)

    def _worth(self, items: object) -> int:
        """Tell how many connections are of use for items, whose number may be known."""
        if not isinstance(items, Sized):
            return self._most
        return max(1, min(self._most, -(-len(items) // _WORTH_CONNECTING)))

    def _revival(self, connection: Connection[C]) -> Dialogue[None]:
        """Close a connection that is up and of no use any more."""
        session, now = connection.smtp._live, monotonic()
        is_old = self._max_age is not None and now - connection.born >= self._max_age
        if is_old or session.room == 0:
            yield from close_session(session)
            return
        # What follows goes out at once, and would be in doubt on a connection that is gone. What
        # came of the server is heard in the next turn of an asyncio loop.
        yield Sleep(0)
        yield from heed(session)
        if session.connected and now - connection.used >= self._max_idle:
            try:
                yield from command(session, "NOOP")
            except SMTPSError as error:
                yield from close_session(session, error)


class _Exhaustible(Protocol):
    @property
    def exhausted(self) -> bool: ...
    @property
    def failure(self) -> BaseException | None: ...


class _Lane(Protocol):
    driver: Any
    error: SMTPSError | None
    has_ended: bool


class Many(Generic[C]):
    """One `send_many` of a pool, which is under way on some of its connections."""

    def __init__(self, pool: Pooling[C], supply: Any, connections: list[Connection[C]]) -> None:
        self._pool = pool
        self._supply = supply
        #: Those that it still has.
        self.connections = connections
        self.share = Share(supply, pool._throttle, len(connections), pool._missing)
        self.gauge = Gauge(len(connections), began=monotonic())
        self._began = thread_time()
        self._works: list[Work] = []

    def begin(self) -> list[Dialogue[None]]:
        """Make the connections busy, and give the dialogue that each is to carry out."""
        pool, dialogues = self._pool, []
        for connection, supply in zip(self.connections, self.share.lanes(), strict=True):
            work = connection.smtp._work(supply, pool._window)
            self._works.append(work)
            session = connection.smtp._enter("send_many")
            session.meter = self.gauge.meter
            if not connection.smtp.connected:
                connection.born = monotonic()
            dialogues.append(_carried(session, work, pool._window))
        return dialogues

    def note(self, receipts: list[Receipt]) -> None:
        """Learn from receipts, and from how long they took."""
        now, gauge = monotonic(), self.gauge
        self._pool._throttle.heard(receipts, now)
        if now - gauge.now >= _CPU_INTERVAL:
            # The system is slow to tell.
            gauge.cpu = thread_time() - self._began
        gauge.now = now
        gauge.receipts += len(receipts)
        gauge.held_back = self.share.held_back

    def let_go(self, lanes: Sequence[_Lane]) -> list[Connection[C]]:
        """Give the connections that have ended while others go on: somebody else waits for one."""
        ended = {id(lane.driver) for lane in lanes if lane.has_ended}
        free = [one for one in self.connections if id(one.smtp._driver) in ended]
        self.connections[:] = [one for one in self.connections if one not in free]
        self.share.leaving = max(0, self.share.leaving - len(free))
        return free

    def unsent(self, lanes: Sequence[_Lane]) -> list[Receipt]:
        """Give the receipts of what every connection has left.

        Raises:
            SMTPSError: no connection could be made at all.
        """
        found = [lane.error for lane in lanes if lane.error is not None]
        if len(found) == len(lanes) and not self.share.left:
            raise found[0]
        receipts = [self._works[0].unsent(job, found[0]) for job in self.share.left if found]
        self.share.left.clear()
        return receipts

    def end(self) -> None:
        """Note the last figures, and raise what the program's iterator raised."""
        self.gauge.cpu = thread_time() - self._began
        if self._supply.failure is not None:
            raise self._supply.failure


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
    if not smtp._live.resting:
        # There may be a socket where there is no session yet.
        smtp._driver.abort()
        smtp._live.reset()


_pools: WeakSet[Pooling[Any]] = WeakSet()


def _start_in_child() -> None:
    # Before any thread of the child can ask for a connection.
    for pool in list(_pools):
        pool._start_in_child()


after_fork(_start_in_child)
