"""One face for both components, so that a behaviour is tested once and holds on either."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from smtps import SMTPS, AsyncSMTPS, Receipt

__all__ = ["Front"]


class Front:
    """`SMTPS`, or `AsyncSMTPS` on a loop of its own; either is called as if it were blocking."""

    def __init__(self, kind: str) -> None:
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

    def _keep(self, smtp: Any) -> Any:
        self._open.append(smtp)
        return smtp

    def run(self, result: Any) -> Any:
        """Give a result, or wait for it."""
        return result if self._runner is None else self._runner.run(result)
