"""Many connections to one relay, on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from time import monotonic, thread_time
from typing import Self

from .aclient import AsyncSMTPS
from .component import settle
from .dialogue.command import command, heed
from .dialogue.submission import submit
from .drivers.gathering import AsyncLane, Condition, Gathering, sleep
from .drivers.supply import AsyncSupply, IteratorSupply
from .errors import NotConnected, SMTPSError
from .explaining import Explanation, Gauge
from .items import Item
from .pooling import Connection, Origin, PoolOptions, Share, begin, finish, note, unsent
from .receipt import Receipt

__all__ = ["AsyncPool"]


class AsyncPool:
    """Like `Pool`; every method that waits is awaited. It belongs to the loop that first uses it.

    Raises:
        BadValue: an argument cannot be used.
    """

    def __init__(
        self,
        relay: str | Callable[[], AsyncSMTPS],
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
            AsyncSMTPS.from_url(relay)
        url = relay
        self._options = PoolOptions[AsyncSMTPS](
            (lambda: AsyncSMTPS.from_url(url)) if isinstance(url, str) else url,
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
        self._changed = Condition()
        self._idle: list[Connection[AsyncSMTPS]] = []
        self._busy = 0
        self._waiting = 0
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> None:
        """Like `Pool.connect`, awaited."""
        (connection,) = await self._take(1)
        try:
            await self._bring_up(connection)
        finally:
            await self._give_back([connection])

    async def send(self, item: Item) -> Receipt:
        """Like `Pool.send`, awaited."""
        (connection,) = await self._take(1)
        try:
            await self._hold_back()
            await self._bring_up(connection)
            smtp = connection.smtp
            transaction = smtp._transaction(item, None, None)
            receipt = await smtp._run("send", submit(smtp._live, transaction))
            self._options.throttle.heard((receipt,), monotonic())
            return settle(receipt)
        finally:
            await self._give_back([connection])

    def send_many(self, items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Receipt]:
        """Like `Pool.send_many`, as an asynchronous iterator; the items may come from one too."""
        supply: AsyncSupply | IteratorSupply
        supply = AsyncSupply(items) if isinstance(items, AsyncIterable) else IteratorSupply(items)
        return self._send_many(supply, self._options.connections_for(items))

    async def close(self) -> None:
        """Like `Pool.close`, awaited."""
        self._check_fork()
        async with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._changed.notify_all()
        for connection in idle:
            await connection.smtp.disconnect()

    def explain(self) -> Explanation:
        """Like `Pool.explain`."""
        return self._gauge.explain(self._options.throttle)

    # --- connections ------------------------------------------------------------------------------

    def _check_fork(self) -> None:
        if self._origin.has_forked():
            # The parent speaks on its connections, and its loop is not ours.
            self._start()

    async def _take(self, most: int) -> list[Connection[AsyncSMTPS]]:
        self._check_fork()
        async with self._changed:
            while not self._closed and self._busy >= self._options.connections:
                self._waiting += 1
                try:
                    await self._changed.wait()
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
        return self._waiting - (self._options.connections - self._busy)

    async def _give_back(self, connections: list[Connection[AsyncSMTPS]]) -> None:
        now = monotonic()
        async with self._changed:
            self._busy -= len(connections)
            closed = self._closed
            for connection in connections:
                connection.used = now
                if connection.smtp.connected and not closed:
                    self._idle.append(connection)
            self._changed.notify_all()
        if closed:
            for connection in connections:
                await connection.smtp.disconnect()

    async def _revive(self, connection: Connection[AsyncSMTPS]) -> None:
        smtp, now = connection.smtp, monotonic()
        if not smtp.connected:
            return
        if self._options.is_worn(connection, now):
            await smtp.disconnect()
            return
        # What follows goes out at once, and would be in doubt on a connection that is gone. What
        # came of the server is heard in the next turn of the loop.
        await sleep(0)
        await smtp._run("send", heed(smtp._live))
        if smtp.connected and self._options.is_doubtful(connection, now):
            try:
                await smtp._run("send", command(smtp._live, "NOOP"))
            except SMTPSError:
                await smtp.disconnect()

    async def _bring_up(self, connection: Connection[AsyncSMTPS]) -> None:
        await self._revive(connection)
        if not connection.smtp.connected:
            await connection.smtp.connect()
            connection.born = monotonic()

    async def _hold_back(self) -> None:
        throttle = self._options.throttle
        while throttle.take(1, monotonic()) == 0:
            await sleep(throttle.pause())

    # --- many messages ----------------------------------------------------------------------------

    async def _send_many(
        self, supply: IteratorSupply | AsyncSupply, most: int
    ) -> AsyncIterator[Receipt]:
        connections = await self._take(most)
        throttle = self._options.throttle
        share = Share(supply, throttle, len(connections), self._missing)
        gauge = self._gauge = Gauge(len(connections), began=monotonic())
        began = thread_time()
        try:
            for connection in connections:
                await self._revive(connection)
            works = [
                one.smtp._work(own, self._options.window)
                for one, own in zip(connections, share.lanes(), strict=True)
            ]
            lanes = [
                AsyncLane(one.smtp._driver, begin(self._options, one, work, gauge))
                for one, work in zip(connections, works, strict=True)
            ]
            async with aclosing(Gathering(lanes).stream()) as batches:
                async for batch in batches:
                    note(self._options, batch, gauge, share, began)
                    if share.leaving:
                        await self._let_go(share, connections, lanes)
                    for receipt in batch:
                        yield receipt
            for receipt in unsent(works[0], share, [lane.error for lane in lanes]):
                yield receipt
            gauge.cpu = thread_time() - began
            if supply.failure is not None:
                raise supply.failure
        finally:
            await supply.close()
            await self._end(connections)

    async def _let_go(
        self, share: Share, connections: list[Connection[AsyncSMTPS]], lanes: list[AsyncLane]
    ) -> None:
        ended = {id(lane.driver) for lane in lanes if lane.has_ended}
        free = [one for one in connections if id(one.smtp._driver) in ended]
        connections[:] = [one for one in connections if one not in free]
        share.leaving = max(0, share.leaving - len(free))
        await self._end(free)

    async def _end(self, connections: list[Connection[AsyncSMTPS]]) -> None:
        for connection in connections:
            finish(connection)
        await self._give_back(connections)
