"""Many connections to one relay, on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from time import monotonic
from typing import Self

from .aclient import AsyncSMTPS
from .component import settle
from .dialogue.submission import submit
from .drivers.gathering import AsyncLane, Condition, Gathering, sleep
from .drivers.supply import AsyncSupply, IteratorSupply
from .items import Item, check_items
from .pooling import Connection, Many, Pooling, finish
from .receipt import Receipt

__all__ = ["AsyncPool"]


class AsyncPool(Pooling[AsyncSMTPS]):
    """Like `Pool`; every method that waits is awaited. It belongs to the loop that first uses it.

    Raises:
        BadValue: an argument cannot be used.
    """

    # After a fork its connections are left as they are: the loop is the parent's, and so is what
    # watches their sockets.

    _kind = AsyncSMTPS

    def _start(self) -> None:
        super()._start()
        self._changed = Condition()

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
            smtp = connection.smtp
            transaction = smtp._item_transaction(item)
            await self._hold_back()
            await self._bring_up(connection)
            receipt = await smtp._run("send", submit(smtp._live, transaction))
            self._throttle.heard((receipt,), monotonic())
            return settle(receipt)
        finally:
            await self._give_back([connection])

    def send_many(self, items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Receipt]:
        """Like `Pool.send_many`, as an asynchronous iterator; the items may come from one too."""
        supply: AsyncSupply | IteratorSupply
        if isinstance(items, AsyncIterable):
            supply = AsyncSupply(items)
        else:
            supply = IteratorSupply(check_items(items))
        return self._send_many(supply, self._worth(items))

    async def close(self) -> None:
        """Like `Pool.close`, awaited."""
        async with self._changed:
            idle = self._take_idle()
            self._changed.notify_all()
        await _disconnect(idle)

    # --- connections ------------------------------------------------------------------------------

    async def _take(self, most: int) -> list[Connection[AsyncSMTPS]]:
        async with self._changed:
            while self._must_wait():
                self._waiting += 1
                try:
                    await self._changed.wait()
                finally:
                    self._waiting -= 1
            count, taken = self._lend(most)
        try:
            while len(taken) < count:
                taken.append(self._new())
        except BaseException:
            await self._give_back(taken, count)
            raise
        return taken

    async def _give_back(
        self, connections: Sequence[Connection[AsyncSMTPS]], count: int | None = None
    ) -> None:
        async with self._changed:
            surplus = self._take_back(len(connections) if count is None else count, connections)
            self._changed.notify_all()
        await _disconnect(surplus)

    async def _revive(self, connection: Connection[AsyncSMTPS]) -> None:
        if connection.smtp.connected:
            await connection.smtp._run("send", self._revival(connection))

    async def _bring_up(self, connection: Connection[AsyncSMTPS]) -> None:
        await self._revive(connection)
        if not connection.smtp.connected:
            await connection.smtp.connect()
            connection.born = monotonic()

    async def _hold_back(self) -> None:
        while self._throttle.take(1, monotonic()) == 0:
            await sleep(self._throttle.pause())

    # --- many messages ----------------------------------------------------------------------------

    async def _send_many(
        self, supply: IteratorSupply | AsyncSupply, most: int
    ) -> AsyncIterator[Receipt]:
        connections = await self._take(most)
        try:
            many = Many(self, supply, connections)
            self._gauge = many.gauge
            for connection in connections:
                await self._revive(connection)
            lanes = [
                AsyncLane(one.smtp._driver, dialogue)
                for one, dialogue in zip(connections, many.begin(), strict=True)
            ]
            async with aclosing(Gathering(lanes).stream()) as batches:
                async for receipts in batches:
                    many.note(receipts)
                    if many.share.leaving:
                        await self._end(many.let_go(lanes))
                    for receipt in receipts:
                        yield receipt
            for receipt in many.unsent(lanes):
                yield receipt
            many.end()
        finally:
            await supply.close()
            await self._end(connections)

    async def _end(self, connections: Sequence[Connection[AsyncSMTPS]]) -> None:
        for connection in connections:
            finish(connection)
        await self._give_back(connections)


async def _disconnect(components: list[AsyncSMTPS]) -> None:
    """Disconnect all, whatever a handler of the program raises meanwhile."""
    async with AsyncExitStack() as all_of_them:
        for smtp in components:
            all_of_them.push_async_callback(smtp.disconnect)
