"""The component on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from .accessors import with_accessors
from .component import Component, settle
from .dialogue.closing import close_session
from .dialogue.command import command, expand, listen, verify
from .dialogue.many import send_all
from .dialogue.opening import open_session
from .dialogue.submission import submit
from .dialogue.transaction import Transaction
from .drivers.aio import AsyncDriver, in_thread, settled
from .drivers.supply import AsyncSupply, IteratorSupply
from .envelope import Recipient
from .errors import AlreadyConnected, SMTPSError
from .events import Error
from .items import Item, check_items
from .ops import Dialogue
from .queueing import CANNOT_CARRY, resume
from .receipt import Receipt
from .spool.work import Answer

__all__ = ["AsyncSMTPS"]

T = TypeVar("T")


@with_accessors
class AsyncSMTPS(Component):
    """Like `SMTPS`; every method that waits is awaited. Handlers may be coroutine functions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._driver: AsyncDriver = AsyncDriver(self._observe)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    @property
    def connected(self) -> bool:
        """Whether a session is up. It cannot be assigned: an assignment cannot wait."""
        return self._live.connected

    @connected.setter
    def connected(self, _: bool) -> None:
        raise AttributeError("an assignment cannot wait; await connect() or disconnect()")

    async def connect(self) -> None:
        """Like `SMTPS.connect`, awaited."""
        if self.connected:
            raise AlreadyConnected
        await self._run("connect", open_session(self._live))

    async def disconnect(self) -> None:
        """Like `SMTPS.disconnect`, awaited."""
        if self.connected:
            await self._run("disconnect", close_session(self._live, asked=True))

    async def send(
        self,
        item: Item | None = None,
        *,
        sender: str | None = None,
        recipients: Iterable[str | Recipient] | None = None,
    ) -> Receipt:
        """Like `SMTPS.send`, awaited."""
        transaction = self._transaction(item, sender, recipients)
        receipt = await self._run("send", submit(self._live, transaction))
        if item is None and receipt.accepted:
            self._was_sent(transaction)
        return settle(receipt)

    def send_many(
        self, items: Iterable[Item] | AsyncIterable[Item], *, window: int | None = None
    ) -> AsyncIterator[Receipt]:
        """Like `SMTPS.send_many`, as an asynchronous iterator; the items may come from one too."""
        supply: AsyncSupply | IteratorSupply
        if isinstance(items, AsyncIterable):
            supply = AsyncSupply(items)
        else:
            supply = IteratorSupply(check_items(items))
        work = self._work(supply, window)
        return self._each("send_many", send_all(self._live, work, window), supply)

    async def send_to_terminal_only(self) -> None:
        """Like `SMTPS.send_to_terminal_only`, awaited."""
        await self._send_classic("SEND FROM")

    async def send_to_terminal_or_email(self) -> None:
        """Like `SMTPS.send_to_terminal_or_email`, awaited."""
        await self._send_classic("SOML FROM")

    async def send_to_terminal_and_email(self) -> None:
        """Like `SMTPS.send_to_terminal_and_email`, awaited."""
        await self._send_classic("SAML FROM")

    async def _send_classic(self, verb: str) -> None:
        transaction = self._terminal_transaction(verb)
        receipt = settle(await self._run("send", submit(self._live, transaction)))
        if receipt.accepted:
            self._was_sent(transaction)

    async def send_command(self, line: str) -> str:
        """Like `SMTPS.send_command`, awaited."""
        self._check_connected()
        return (await self._run("command", command(self._live, line))).raw

    @property
    def command(self) -> str:
        """Cannot be used on asyncio, where an assignment cannot wait: use `send_command`."""
        raise AttributeError("command is write-only; last_reply holds what the server said")

    @command.setter
    def command(self, _: str) -> None:
        raise AttributeError("an assignment cannot wait; write: await smtp.send_command(line)")

    async def verify(self, email_address: str) -> str:
        """Like `SMTPS.verify`, awaited."""
        return (await self._run("verify", verify(self._live, email_address))).text

    async def expand(self, email_address: str) -> list[str]:
        """Like `SMTPS.expand`, awaited."""
        return await self._run("expand", expand(self._live, email_address))

    async def do_events(self) -> None:
        """Like `SMTPS.do_events`, awaited."""
        self._run_posted()
        if self.idle:
            await self._run("do_events", listen(self._live))
            self._run_posted()

    async def reset(self) -> None:
        """Like `SMTPS.reset`, awaited."""
        await self.disconnect()
        self._forget()

    async def queue(self, queue_dir: str | Path) -> str:
        """Like `SMTPS.queue`, awaited."""
        transaction = self._transaction(None, None, None)
        return await in_thread(self._store, queue_dir, transaction)

    async def process_queue(self, queue_dir: str | Path) -> None:
        """Like `SMTPS.process_queue`, awaited."""
        opened_here = False
        with self._queue_work(queue_dir) as work:
            try:
                # The disk is waited for in a thread, one step after the other.
                step = await in_thread(next, work, None)
                while step is not None:
                    if isinstance(step, Error):
                        await settled(self._observe(step))
                        step = await in_thread(next, work, None)
                        continue
                    if not self.connected:
                        await self.connect()
                        opened_here = True
                    step = await in_thread(resume, work, await self._submit(step))
            finally:
                if opened_here:
                    await self.disconnect()

    async def _submit(self, transaction: Transaction) -> Answer:
        try:
            return await self._run("process_queue", submit(self._live, transaction))
        except CANNOT_CARRY as error:
            return error

    async def _run(self, method: str, dialogue: Dialogue[T]) -> T:
        async with self._method(method):
            return await self._driver.run(dialogue)

    async def _each(
        self, method: str, dialogue: Dialogue[None], supply: IteratorSupply | AsyncSupply
    ) -> AsyncIterator[Receipt]:
        try:
            async with self._method(method), aclosing(self._driver.stream(dialogue)) as batches:
                async for receipts in batches:
                    for receipt in receipts:
                        yield receipt
        finally:
            await supply.close()

    @asynccontextmanager
    async def _method(self, name: str) -> AsyncIterator[None]:
        """Be busy with a method; if it breaks in the middle of something, the connection goes."""
        session = self._enter(name)
        try:
            yield
        except SMTPSError as error:
            if not session.resting:
                self._driver.begin()
                await self._driver.run(close_session(session, error))
            raise
        except BaseException:
            if not session.resting:
                self._driver.abort()
                session.reset()
            raise
        finally:
            self._running = None
