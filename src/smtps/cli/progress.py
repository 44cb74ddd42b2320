"""A progress bar on standard error, for people only."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

__all__ = ["Progress"]

_WIDTH = 32
# Often enough to look alive, seldom enough to cost nothing.
_SECONDS = 0.1


class Progress:
    """Show how far a long work is, where standard error is a terminal; otherwise only the end."""

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._start = self._shown = time.monotonic()
        self._is_live = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._draw(end="\n")

    def advance(self) -> None:
        """Count one more."""
        self._done += 1
        # A clock costs more than a count; look at it only now and then.
        if self._is_live and self._done % 32 == 0:
            now = time.monotonic()
            if now - self._shown >= _SECONDS:
                self._shown = now
                self._draw(end="")

    def _draw(self, end: str) -> None:
        # More can come while it works, and nothing to do is all of it.
        share = self._done / max(self._total, self._done, 1) if self._done else 0.0
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        bar = "#" * int(share * _WIDTH)
        line = f"{share:4.0%} [{bar:.<{_WIDTH}}] {self._done:,} {self._unit}, {rate:,.0f}/s"
        sys.stderr.write(("\r" if self._is_live else "") + line + end)
        sys.stderr.flush()
