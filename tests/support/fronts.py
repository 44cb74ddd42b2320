"""One face for both components, so that a behaviour is tested once and holds on either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from itertools import islice
from types import TracebackType
from typing import Any, Self

from smtps import SMTPS, AsyncSMTPS, Receipt

__all__ = ["Front"]


class Front:
    """`SMTPS`, or `AsyncSMTPS` on a loop of its own; either is called as if it were blocking."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.kind = kind
        self._class: type[Any] = {"sync": SMTPS, "async": AsyncSMTPS}[kind]
        self._runner = asyncio.Runner() if kind == "async" else None
        self._open: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for smtp in self._open:
            self.run(smtp.disconnect())
        if self._runner is not None:
            # Transports close on the next turn of the loop.
            self._runner.run(asyncio.sleep(0))
            self._runner.close()

    def make(self, **options: Any) -> Any:
        return self._keep(self._class(**options))

    def at(self, url: str) -> Any:
        return self._keep(self._class.from_url(url))

    def connect(self, smtp: Any) -> None:
        self.run(smtp.connect())

    def disconnect(self, smtp: Any) -> None:
        self.run(smtp.disconnect())

    def send(self, smtp: Any, *arguments: Any, **keywords: Any) -> Receipt:
        receipt: Receipt = self.run(smtp.send(*arguments, **keywords))
        return receipt

    def each(self, receipts: Any) -> Generator[Receipt, None, None]:
        """Give the receipts of `send_many`, and close the iterator in the end."""
        if self._runner is None:
            try:
                yield from receipts
            finally:
                receipts.close()
            return
        try:
            while (receipt := self._runner.run(_next(receipts))) is not None:
                yield receipt
        finally:
            self._runner.run(receipts.aclose())

    def send_many(
        self, smtp: Any, items: Any, *, window: int | None = None, most: int | None = None
    ) -> list[Receipt]:
        """Give the receipts of all items, or the first `most`."""
        receipts = self.each(smtp.send_many(items, window=window))
        try:
            return list(islice(receipts, most))
        finally:
            receipts.close()

    def _keep(self, smtp: Any) -> Any:
        self._open.append(smtp)
        return smtp

    def run(self, result: Any) -> Any:
        """Give a result, or wait for it."""
        return result if self._runner is None else self._runner.run(result)


async def _next(receipts: AsyncIterator[Receipt]) -> Receipt | None:
    return await anext(receipts, None)
