"""The messages of one call on their way: what is sent of them, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized

from django.core.mail import EmailMessage

from ...errors import SMTPSError, SourceFailed
from ...items import Item
from ...receipt import Outcome, Receipt, RecipientResult
from ..failures import as_smtplib
from .composing import item_of

__all__ = ["Batch"]


class Batch:
    """Messages as items, and their receipts, which each message has as `smtps_receipt`.

    Messages without recipients are left out, as Django does.
    """

    def __init__(self, messages: Iterable[EmailMessage]) -> None:
        self._size = len(messages) if isinstance(messages, Sized) else None
        self._messages = iter(messages)
        #: Those that were taken and have no receipt yet, by the place of their item.
        self._waiting: dict[int, EmailMessage] = {}
        self._taken = 0
        #: How many were accepted for somebody.
        self.sent = 0
        #: The first reason for which one was not, as programs for Django expect it.
        self.failure: Exception | None = None

    def items(self) -> Iterable[Item]:
        """Give the items; they are made as they are taken."""
        return self._items() if self._size is None else _Counted(self._items(), self._size)

    def _items(self) -> Iterator[Item]:
        for message in self._messages:
            if not message.recipients():
                continue
            try:
                item = item_of(message)
            except Exception as error:
                # What a message holds, or a class of the program's own does, is of this one alone.
                self._give(message, _unsent(message, SourceFailed.of(error)))
                self._fail(error)
                continue
            self._waiting[self._taken] = message
            self._taken += 1
            yield item

    def note(self, receipt: Receipt) -> None:
        """Give a message its receipt."""
        self._give(self._waiting.pop(receipt.index), receipt)
        if receipt.ok or receipt.accepted:
            self.sent += 1
            return
        try:
            receipt.raise_for_status()
        except SMTPSError as error:
            self._fail(as_smtplib(error))

    def end(self, error: SMTPSError) -> None:
        """Say of all that have no receipt that they were not sent, and why."""
        # Of an iterator nobody knows whether it ends.
        rest = self._messages if self._size is not None else ()
        for message in (*self._waiting.values(), *rest):
            self._give(message, _unsent(message, error))
        self._waiting.clear()
        self._fail(as_smtplib(error))

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or error

    @staticmethod
    def _give(message: EmailMessage, receipt: Receipt) -> None:
        message.smtps_receipt = receipt


class _Counted:
    """An iterable whose length is known."""

    def __init__(self, items: Iterator[Item], size: int) -> None:
        self._items = items
        self._size = size

    def __iter__(self) -> Iterator[Item]:
        return self._items

    def __len__(self) -> int:
        return self._size


def _unsent(message: EmailMessage, error: SMTPSError) -> Receipt:
    results = tuple(
        RecipientResult(str(address), Outcome.NOT_SENT, error.reply)
        for address in message.recipients()
    )
    return Receipt(0, None, str(message.from_email), results, error.reply, error)
