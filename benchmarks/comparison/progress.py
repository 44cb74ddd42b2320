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
        self._note = ""
        self._is_live = sys.stderr.isatty()

    def step(self, what: str) -> None:
        """Say what begins now."""
        self._done += 1
        if self._is_live:
            seconds = time.monotonic() - self._start
            text = f"{self._done}/{self._total}  {seconds:.0f} s  {what}{self._note}"
            sys.stderr.write(f"\r\x1b[K{text[:120]}")
            sys.stderr.flush()

    def note(self, result: str) -> None:
        """Keep what the last step came to, to be shown beside the next one."""
        self._note = f"  (last: {result})"

    def clear(self) -> None:
        """Make room for a table."""
        if self._is_live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
