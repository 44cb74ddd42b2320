"""A progress bar on standard error, for people only."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]

_WIDTH = 32
# Often enough to look alive, seldom enough to cost nothing.
_SECONDS = 0.1


class Progress:
    """Show how far a long work is, where standard error is a terminal; otherwise only the end.

    With `rich` installed (the extra `cli`) the bar is that one's.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._start = self._shown = time.monotonic()
        self._is_live = sys.stderr.isatty()
        self._rich: Any = _rich_bar(total) if self._is_live else None

    def __enter__(self) -> Self:
        if self._rich is not None:
            self._rich.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rich is None:
            if kind is None or self._done:
                self._draw(end="\n")
            return
        self._draw(end="")
        self._rich.stop()

    def advance(self) -> None:
        """Count one more."""
        self._done += 1
        # A clock costs more than a count; look at it only now and then.
        if self._is_live and (self._done % 32 == 0 or self._done < 32):
            now = time.monotonic()
            if now - self._shown >= _SECONDS:
                self._shown = now
                self._draw(end="")

    def _draw(self, end: str) -> None:
        # More can come while it works, and nothing to do is all of it.
        total = max(self._total, self._done, 1)
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        unit = self._unit if self._done != 1 else self._unit.replace("messages", "message")
        text = f"{self._done:,} {unit}, {rate:,.0f}/s"
        if self._rich is not None:
            self._rich.update(self._rich.task_ids[0], completed=self._done, total=total, text=text)
            return
        share = self._done / total
        bar = "#" * int(share * _WIDTH)
        line = f"{share:4.0%} [{bar:.<{_WIDTH}}] {text}"
        sys.stderr.write(("\r" if self._is_live else "") + line + end)
        sys.stderr.flush()


def _rich_bar(total: int) -> Any:
    try:
        from rich import console, progress
    except ImportError:
        return None
    bar = progress.Progress(
        progress.TaskProgressColumn(),
        progress.BarColumn(_WIDTH),
        progress.TextColumn("{task.fields[text]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
        console=console.Console(file=sys.stderr),
    )
    bar.add_task("", total=total, text="")
    return bar
