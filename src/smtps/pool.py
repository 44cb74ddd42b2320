"""Many connections to one relay, for blocking programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic, thread_time
from typing import Self

from .client import SMTPS
from .component import settle
from .dialogue.command import command, heed
from .dialogue.submission import submit
from .drivers.multiplex import Lane, Multiplexer
from .drivers.supply import IteratorSupply
from .errors import NotConnected, SMTPSError
from .explaining import Explanation, Gauge
from .items import Item
from .pooling import Connection, Origin, PoolOptions, Share, begin, finish, note, unsent
from .receipt import Receipt

__all__ = ["Pool"]


class Pool:
    """Connections to one relay, made when they are needed, kept and shared by threads.

    `send_many` drives all of them from the thread that iterates. After a fork the child makes
    connections of its own, and leaves the parent's alone. Leaving a `with` block closes the pool.

    Args:
        relay: a relay URL, or a function that makes an `SMTPS` that is set up but not connected.
        connections: the most of them.
        max_messages: the most messages over one connection; then another is made.
        max_idle: seconds after which an idle connection is asked whether it still works (NOOP).
        max_age: seconds after which a connection is replaced.
        rate: the most messages a second, as "14/s", "30/min" or "1000/h", or the name of a preset:
            "ses", "office365". Without it the pool goes as fast as it can, and becomes slower when
            the server says that it is too much (421, 432, 450, 451, 454).
        per_connection: the most messages in flight on one connection.

    Raises:
        BadValue: an argument cannot be used.
    """

    def __init__(
        self,
        relay: str | Callable[[], SMTPS],
        *,
        connections: int = 8,
        max_messages: int | None = None,
        max_idle: float = 30.0,
        max_age: float | None = None,
        rate: str | None = None,
        per_connection: int | None = None,
    ) -> None:
        if isinstance(relay, str):
            # What is wrong with the URL is told now.
            SMTPS.from_url(relay)
        url = relay
        self._options = PoolOptions[SMTPS](
            (lambda: SMTPS.from_url(url)) if isinstance(url, str) else url,
            connections=connections,
            max_messages=max_messages,
            max_idle=max_idle,
            max_age=max_age,
            rate=rate,
            per_connection=per_connection,
        )
        self._origin = Origin()
        self._gauge = Gauge()
        self._start()

    def _start(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[Connection[SMTPS]] = []
        self._busy = 0
        self._waiting = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        """Have one connection that works, so that what is wrong with the relay is told now.

        Raises:
            SMTPSError: as `SMTPS.connect`.
        """
        (connection,) = self._take(1)
        try:
            self._bring_up(connection)
        finally:
            self._give_back([connection])

    def send(self, item: Item) -> Receipt:
        """Send one message over a connection that is free, or wait for one; like `SMTPS.send`."""
        (connection,) = self._take(1)
        try:
            self._hold_back()
            self._bring_up(connection)
            smtp = connection.smtp
            receipt = smtp._run("send", submit(smtp._live, smtp._transaction(item, None, None)))
            self._options.throttle.heard((receipt,), monotonic())
            connection.sent += 1
            return settle(receipt)
        finally:
            self._give_back([connection])

    def send_many(self, items: Iterable[Item]) -> Iterator[Receipt]:
        """Send messages over all connections that are free, and give a receipt for each.

        If another thread needs one of them, it is let go as soon as its messages are answered.
        Like `SMTPS.send_many`; the receipts of different connections come as they are known. Of a
        sequence, whose length is known, a connection is made for every eight messages at most.
        """
        supply = IteratorSupply(items)
        return self._send_many(supply, self._options.connections_for(items))

    def close(self) -> None:
        """Disconnect all that is idle, and let no new message begin."""
        self._check_fork()
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for connection in idle:
            connection.smtp.disconnect()

    def explain(self) -> Explanation:
        """Tell what kept the last `send_many` from being faster, or the one that is under way."""
        return self._gauge.explain(self._options.throttle)

    # --- connections ------------------------------------------------------------------------------

    def _check_fork(self) -> None:
        if self._origin.has_forked():
            for connection in self._idle:
                # The parent speaks on it; only our end of the socket is let go.
                connection.smtp._driver.abort()
                connection.smtp._live.reset()
            self._start()

    def _take(self, most: int) -> list[Connection[SMTPS]]:
        """Wait for a free connection, and take up to `most`.

        Raises:
            NotConnected: the pool is closed.
        """
        self._check_fork()
        with self._changed:
            while not self._closed and self._busy >= self._options.connections:
                self._waiting += 1
                try:
                    self._changed.wait()
                finally:
                    self._waiting -= 1
            if self._closed:
                raise NotConnected
            count = min(most, self._options.connections - self._busy)
            taken = [self._idle.pop() for _ in range(min(count, len(self._idle)))]
            self._busy += count
        taken += [self._options.new() for _ in range(count - len(taken))]
        return taken

    def _missing(self) -> int:
        """Tell how many threads wait for a connection, beyond those that are free."""
        return self._waiting - (self._options.connections - self._busy)

    def _give_back(self, connections: list[Connection[SMTPS]]) -> None:
        now = monotonic()
        with self._changed:
            self._busy -= len(connections)
            closed = self._closed
            for connection in connections:
                connection.used = now
                if connection.smtp.connected and not closed:
                    self._idle.append(connection)
            self._changed.notify_all()
        for connection in connections:
            if closed:
                connection.smtp.disconnect()

    def _revive(self, connection: Connection[SMTPS]) -> None:
        """Make sure that an idle connection is of use, or close it."""
        smtp, now = connection.smtp, monotonic()
        if not smtp.connected:
            return
        if self._options.is_worn(connection, now):
            smtp.disconnect()
            return
        # What follows goes out at once, and would be in doubt on a connection that is gone.
        smtp._run("send", heed(smtp._live))
        if smtp.connected and self._options.is_doubtful(connection, now):
            try:
                smtp._run("send", command(smtp._live, "NOOP"))
            except SMTPSError:
                smtp.disconnect()

    def _bring_up(self, connection: Connection[SMTPS]) -> None:
        self._revive(connection)
        if not connection.smtp.connected:
            connection.smtp.connect()
            connection.born = monotonic()

    def _hold_back(self) -> None:
        """Wait until the throttle lets one message go."""
        throttle = self._options.throttle
        with self._changed:
            while throttle.take(1, monotonic()) == 0:
                self._changed.wait(throttle.pause())

    # --- many messages ----------------------------------------------------------------------------

    def _send_many(self, supply: IteratorSupply, most: int) -> Iterator[Receipt]:
        connections = self._take(most)
        throttle = self._options.throttle
        share = Share(supply, throttle, len(connections), self._missing)
        gauge = self._gauge = Gauge(len(connections), began=monotonic())
        began = thread_time()
        try:
            for connection in connections:
                self._revive(connection)
            works = [
                one.smtp._work(own, self._options.window)
                for one, own in zip(connections, share.lanes(), strict=True)
            ]
            lanes = [
                Lane(one.smtp._driver, begin(self._options, one, work, gauge))
                for one, work in zip(connections, works, strict=True)
            ]
            for receipts in Multiplexer(lanes).stream():
                note(self._options, receipts, gauge, share, began)
                if share.leaving:
                    self._let_go(share, connections, lanes)
                yield from receipts
            yield from unsent(works[0], share, [lane.error for lane in lanes])
            gauge.cpu = thread_time() - began
            if supply.failure is not None:
                raise supply.failure
        finally:
            self._end(connections)

    def _let_go(
        self, share: Share, connections: list[Connection[SMTPS]], lanes: list[Lane]
    ) -> None:
        """Give back the connections that have ended while others go on."""
        ended = {id(lane.driver) for lane in lanes if lane.has_ended}
        free = [one for one in connections if id(one.smtp._driver) in ended]
        connections[:] = [one for one in connections if one not in free]
        share.leaving = max(0, share.leaving - len(free))
        self._end(free)

    def _end(self, connections: list[Connection[SMTPS]]) -> None:
        for connection in connections:
            finish(connection)
        self._give_back(connections)
