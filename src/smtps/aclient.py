"""The component on asyncio."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from .component import Component, Item, settle
from .dialogue.closing import close_session
from .dialogue.opening import open_session
from .dialogue.submission import submit
from .drivers.aio import AsyncDriver
from .envelope import Recipient
from .errors import AlreadyConnected
from .ops import Dialogue
from .receipt import Receipt

__all__ = ["AsyncSMTPS"]

T = TypeVar("T")


class AsyncSMTPS(Component):
    """Like `SMTPS`; every method that waits is awaited. Handlers may be coroutine functions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._driver = AsyncDriver(self._observe)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.disconnect()

    async def connect(self) -> None:
        """Like `SMTPS.connect`, awaited."""
        if self.connected:
            raise AlreadyConnected
        await self._run("connect", open_session(self._live))

    async def disconnect(self) -> None:
        """Like `SMTPS.disconnect`, awaited."""
        if self.connected:
            await self._run("disconnect", close_session(self._live))

    async def send(
        self,
        item: Item | None = None,
        *,
        sender: str | None = None,
        recipients: Iterable[str | Recipient] | None = None,
    ) -> Receipt:
        """Like `SMTPS.send`, awaited."""
        transaction = self._transaction(item, sender, recipients)
        return settle(await self._run("send", submit(self._live, transaction)))

    async def _run(self, method: str, dialogue: Dialogue[T]) -> T:
        session = self._enter(method)
        try:
            return await self._driver.run(dialogue)
        except BaseException:
            if not session.resting:
                self._driver.abort()
                session.reset()
            raise
        finally:
            self._running = None
