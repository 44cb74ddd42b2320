"""A progress bar on standard error, for people only."""

from __future__ import annotations

import os
import shutil
import sys
import time
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]

_WIDTH = 32
# What stands behind the bar takes so many columns, of a terminal that may be narrow.
_REST, _NARROWEST = 46, 8
# Often enough to look alive, seldom enough to cost nothing.
_SECONDS = 0.1


class Progress:
    """Show how far a long work is, where standard error is a terminal; nowhere else anything.

    With `rich` installed (the extra `cli`) the bar is that one's.
    """

    def __init__(self, total: int, unit: str) -> None:
        self._total = total
        self._unit = unit
        self._done = 0
        self._start = self._shown = time.monotonic()
        #: At which count the clock is looked at next.
        self._look = 1
        self._is_seen = sys.stderr.isatty()
        # One that cannot go back in a line, such as an editor's, gets the end only.
        self._is_live = self._is_seen and os.environ.get("TERM") != "dumb"
        self._width = _width() if self._is_live else _WIDTH
        #: How long the line is that the next one is drawn over.
        self._drawn = 0
        self._rich: Any = _rich_bar(total, self._width) if self._is_live else None

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
        if self._rich is not None:
            self._rich.live.transient = not self._done
            self._draw(end="")
            self._rich.stop()
        elif self._done and self._is_seen:
            self._draw(end="\n")

    def advance(self) -> None:
        """Count one more."""
        self._done += 1
        if self._is_live and self._done >= self._look:
            self._look_at_clock()

    def settle(self) -> None:
        """Take what was done for all that there was to do."""
        self._total = self._done

    def _look_at_clock(self) -> None:
        """Draw if it is time, and look again when about half of that time is over."""
        now = time.monotonic()
        pace = self._done / max(now - self._start, 1e-9)
        self._look = self._done + max(1, int(pace * _SECONDS / 2))
        if now - self._shown >= _SECONDS:
            self._shown = now
            self._draw(end="")

    def _draw(self, end: str) -> None:
        # More can come while it works.
        total = max(self._total, self._done, 1)
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        unit = self._unit if self._done != 1 else self._unit.replace("messages", "message")
        text = f"{self._done:,} {unit}, {rate:,.0f}/s"
        if self._rich is not None:
            self._rich.update(self._rich.task_ids[0], completed=self._done, total=total, text=text)
            return
        share = self._done / total
        bar = "#" * int(share * self._width)
        line = f"{share:4.0%} [{bar:.<{self._width}}] {text}"
        sys.stderr.write(
            ("\r" if self._is_live else "") + line.ljust(self._drawn if self._is_live else 0) + end
        )
        sys.stderr.flush()
        self._drawn = len(line)


def _width() -> int:
    return max(_NARROWEST, min(_WIDTH, shutil.get_terminal_size().columns - _REST))


def _rich_bar(total: int, width: int) -> Any:
    try:
        from rich import console, progress
    except ImportError:
        return None
    bar = progress.Progress(
        progress.TaskProgressColumn(),
        progress.BarColumn(width),
        progress.TextColumn("{task.fields[text]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
        console=console.Console(file=sys.stderr),
    )
    bar.add_task("", total=total, text="")
    return bar
