"""One face for both worlds, so that a behaviour is tested once and holds in either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from itertools import islice
from typing import Any, Self

from smtps import SMTPS, AsyncPool, AsyncSMTPS, Pool, Receipt

__all__ = ["Front", "Pools"]


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


_LOOPS = {"uvloop": _uvloop}


class _Blocking:
    """What is called as if it were blocking: as it is, or on a loop of its own.

    Args:
        kind: "sync", "async", or "uvloop" for asyncio on another loop.
    """

    #: The method that ends one of those that were made.
    _ending: str

    def __init__(self, kind: str) -> None:
        self.kind = "sync" if kind == "sync" else "async"
        self._runner = None if kind == "sync" else asyncio.Runner(loop_factory=_LOOPS.get(kind))
        self._open: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            self.run(getattr(one, self._ending)())
        if self._runner is not None:
            # Transports close on the next turn of the loop.
            self._runner.run(asyncio.sleep(0))
            self._runner.close()

    def run(self, result: Any) -> Any:
        """Give a result, or wait for it."""
        return result if self._runner is None else self._runner.run(result)

    def _keep(self, one: Any) -> Any:
        self._open.append(one)
        return one


class Pools(_Blocking):
    """One of the two pools."""

    _ending = "close"

    def make(self, relay: Any, **options: Any) -> Any:
        return self._keep((Pool if self._runner is None else AsyncPool)(relay, **options))

    def send_many(self, pool: Any, wanted: Any) -> list[Receipt]:
        if self._runner is None:
            return list(pool.send_many(wanted))

        async def collect() -> list[Receipt]:
            return [receipt async for receipt in pool.send_many(wanted)]

        return self._runner.run(collect())

    def send(self, pool: Any, item: Any) -> Receipt:
        receipt: Receipt = self.run(pool.send(item))
        return receipt


class Front(_Blocking):
    """`SMTPS`, or `AsyncSMTPS`."""

    _ending = "disconnect"

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._class: type[Any] = {"sync": SMTPS, "async": AsyncSMTPS}[self.kind]

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


async def _next(receipts: AsyncIterator[Receipt]) -> Receipt | None:
    return await anext(receipts, None)
