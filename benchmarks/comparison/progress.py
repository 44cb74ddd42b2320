"""One line on standard error that says what runs now; nothing where that is no terminal."""

from __future__ import annotations

import sys
import time

__all__ = ["Progress"]


class Progress:
    """Count the steps of a long work, and name the present one."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._start = time.monotonic()
        self._is_live = sys.stderr.isatty()

    def step(self, what: str) -> None:
        """Say what begins now."""
        self._done += 1
        if self._is_live:
            seconds = time.monotonic() - self._start
            text = f"{self._done}/{self._total}  {seconds:.0f} s  {what}"
            sys.stderr.write(f"\r\x1b[K{text[:110]}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Make room for a table."""
        if self._is_live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
