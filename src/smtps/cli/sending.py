"""Send messages one after the other, until all are sent or a signal says that it is enough."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

from ..client import SMTPS
from ..items import Item
from ..pool import Pool
from ..receipt import Receipt
from .terminal import leave_line

__all__ = ["Ending", "send_each"]


class Ending:
    """The wish to end: the first Ctrl-C lets no new message begin, the second drops all.

    Args:
        stop: called at the first, from the handler of the signal.
    """

    def __init__(self, stop: Callable[[], object] = lambda: None) -> None:
        self._stop = stop
        self._wishes: SimpleQueue[None] = SimpleQueue()
        #: Whether it was asked for.
        self.wished = False
        #: Whether what was on its way was dropped.
        self.forced = False
        #: How many messages were begun.
        self.begun = 0

    def gate(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give the items until it is enough."""
        for item in items:
            if self.wished:
                return
            self.begun += 1
            yield item

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM meanwhile."""
        before = {
            number: signal.signal(number, self._end) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        except KeyboardInterrupt:
            self.forced = True
            leave_line()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the wish."""
        with suppress(Empty):
            self._wishes.get(timeout=seconds)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        if self.wished:
            raise KeyboardInterrupt
        self.wished = True
        self._stop()
        # An event cannot be set by a handler that breaks into the wait for it; this can be filled.
        self._wishes.put(None)
        # Past the buffer of `sys.stderr`, which may be in the middle of a write now.
        with suppress(OSError):
            os.write(2, b"\nsmtps: ending; what is on its way is awaited, Ctrl-C again drops it\n")


def send_each(
    relay: SMTPS | Pool, items: Iterable[Item], ending: Ending, take: Callable[[Receipt], None]
) -> None:
    """Send the items, and hand each receipt to `take`.

    Raises:
        SMTPSError: no session could be opened; nothing was sent.
    """
    with ending.watched():
        for receipt in relay.send_many(ending.gate(items)):
            take(receipt)
