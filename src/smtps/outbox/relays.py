"""What a run sends through: one connection, or a pool of them, behind one face."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, cast

from ..client import SMTPS
from ..dialogue.transaction import Transaction
from ..envelope import Envelope
from ..errors import BadValue, SMTPSError
from ..events import Error
from ..items import Item
from ..pool import Pool
from ..queueing import resume
from ..receipt import Receipt
from ..spool.history import CANNOT_CARRY
from ..spool.work import Answer, Work

__all__ = ["Relay", "relay_for"]

Items = Iterator[tuple[Envelope, bytes]]


class Relay(Protocol):
    """A way to send queued messages."""

    def send_many(self, items: Items, window: int | None, /) -> Iterator[Receipt]:
        """Send many, and give a receipt for each."""

    def work_through(self, work: Work, /) -> None:
        """Send what a run hands out, one by one."""

    def observe(self, event: Error, /) -> None:
        """Tell of a file that cannot be used, or a message that failed."""

    def close(self) -> None:
        """Leave the connection as it was found."""


def relay_for(given: object) -> Relay:
    """Give the way to send through a connection or a pool.

    Raises:
        BadValue: it is neither; those of asyncio have `process_queue`.
    """
    if isinstance(given, SMTPS):
        return _Connection(given)
    if isinstance(given, Pool):
        return _Shared(given)
    raise BadValue("smtp_or_pool", f"expected an SMTPS or a Pool, not {type(given).__name__}")


class _Connection:
    def __init__(self, smtp: SMTPS) -> None:
        self._smtp = smtp
        self._was_open = smtp.connected

    def send_many(self, items: Items, window: int | None, /) -> Iterator[Receipt]:
        if not self._smtp.connected:
            # Before anything is taken out of the queue.
            self._smtp.connect()
        return self._smtp.send_many(items, window=window)

    def work_through(self, work: Work, /) -> None:
        self._smtp.work_through(work)

    def observe(self, event: Error, /) -> None:
        self._smtp._observe(event)

    def close(self) -> None:
        if not self._was_open:
            self._smtp.disconnect()


class _Shared:
    """A pool decides by itself when to connect, and how much is in flight."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def send_many(self, items: Items, _window: int | None, /) -> Iterator[Receipt]:
        return self._pool.send_many(items)

    def work_through(self, work: Work, /) -> None:
        try:
            step: Any = next(work, None)
            while step is not None:
                step = (
                    next(work, None) if isinstance(step, Error) else resume(work, self._send(step))
                )
        finally:
            work.close()

    def _send(self, transaction: Transaction) -> Answer:
        try:
            return self._pool.send(cast("Item", transaction))
        except CANNOT_CARRY as error:
            return error
        except SMTPSError as error:
            if error.receipt is None:
                raise
            return error.receipt

    def observe(self, event: Error, /) -> None:
        """Nobody listens to a pool; the report says it."""

    def close(self) -> None:
        """A pool keeps its connections."""
