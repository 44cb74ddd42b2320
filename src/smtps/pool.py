"""Many connections to one relay, for blocking programs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Self

from .client import SMTPS
from .component import settle
from .dialogue.submission import submit
from .drivers.multiplex import Lane, Multiplexer
from .drivers.supply import IteratorSupply
from .items import Item, check_items
from .pooling import Connection, Many, Pooling, finish
from .receipt import Receipt

__all__ = ["Pool"]


class Pool(Pooling[SMTPS]):
    """Connections to one relay, made when they are needed, kept and shared by threads.

    `send_many` drives all of them from the thread that iterates. After a fork the child makes
    connections of its own, and leaves the parent's alone. Leaving a `with` block closes the pool.

    Args:
        url_or_factory: a relay URL, or a function that makes an `SMTPS` that is set up but not
            connected.
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

    _kind = SMTPS

    def _start(self) -> None:
        super()._start()
        self._changed = threading.Condition()

    def _start_in_child(self) -> None:
        parents = self._idle
        super()._start_in_child()
        for connection in parents:
            # The parent speaks on it; only our end of the socket is let go.
            connection.smtp._driver.abort()
            connection.smtp._live.reset()

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
            smtp = connection.smtp
            transaction = smtp._item_transaction(item)
            self._hold_back()
            self._bring_up(connection)
            receipt = smtp._run("send", submit(smtp._live, transaction))
            self._throttle.heard((receipt,), monotonic())
            return settle(receipt)
        finally:
            self._give_back([connection])

    def send_many(self, items: Iterable[Item]) -> Iterator[Receipt]:
        """Send messages over all connections that are free, and give a receipt for each.

        If another thread needs one of them, it is let go as soon as its messages are answered.
        Like `SMTPS.send_many`; the receipts of different connections come as they are known. Of a
        sequence, whose length is known, a connection is made for every eight messages at most.
        """
        return self._send_many(IteratorSupply(check_items(items)), self._worth(items))

    def close(self) -> None:
        """Disconnect all that is idle, and let no new message begin."""
        with self._changed:
            idle = self._take_idle()
            self._changed.notify_all()
        _disconnect(idle)

    # --- connections ------------------------------------------------------------------------------

    def _take(self, most: int) -> list[Connection[SMTPS]]:
        """Wait for a free connection, and take up to `most`.

        Raises:
            NotConnected: the pool is closed.
        """
        with self._changed:
            while self._must_wait():
                self._waiting += 1
                try:
                    self._changed.wait()
                finally:
                    self._waiting -= 1
            count, taken = self._lend(most)
        try:
            while len(taken) < count:
                taken.append(self._new())
        except BaseException:
            self._give_back(taken, count)
            raise
        return taken

    def _give_back(
        self, connections: Sequence[Connection[SMTPS]], count: int | None = None
    ) -> None:
        """Let others have connections, and what else of `count` was never made."""
        with self._changed:
            surplus = self._take_back(len(connections) if count is None else count, connections)
            self._changed.notify_all()
        _disconnect(surplus)

    def _revive(self, connection: Connection[SMTPS]) -> None:
        if connection.smtp.connected:
            connection.smtp._run("send", self._revival(connection))

    def _bring_up(self, connection: Connection[SMTPS]) -> None:
        self._revive(connection)
        if not connection.smtp.connected:
            connection.smtp.connect()
            connection.born = monotonic()

    def _hold_back(self) -> None:
        """Wait until the throttle lets one message go."""
        with self._changed:
            while self._throttle.take(1, monotonic()) == 0:
                self._changed.wait(self._throttle.pause())

    # --- many messages ----------------------------------------------------------------------------

    def _send_many(self, supply: IteratorSupply, most: int) -> Iterator[Receipt]:
        connections = self._take(most)
        try:
            many = Many(self, supply, connections)
            self._gauge = many.gauge
            for connection in connections:
                self._revive(connection)
            lanes = [
                Lane(one.smtp._driver, dialogue)
                for one, dialogue in zip(connections, many.begin(), strict=True)
            ]
            for receipts in Multiplexer(lanes).stream():
                many.note(receipts)
                if many.share.leaving:
                    self._end(many.let_go(lanes))
                yield from receipts
            yield from many.unsent(lanes)
            many.end()
        finally:
            self._end(connections)

    def _end(self, connections: Sequence[Connection[SMTPS]]) -> None:
        for connection in connections:
            finish(connection)
        self._give_back(connections)


def _disconnect(components: list[SMTPS]) -> None:
    """Disconnect all, whatever a handler of the program raises meanwhile."""
    with ExitStack() as all_of_them:
        for smtp in components:
            all_of_them.callback(smtp.disconnect)
