"""The classic queue: `queue` writes a message to a folder, `process_queue` sends what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .dialogue.transaction import Transaction
from .enumerations import RecipientType
from .events import Error
from .recipients import MessageRecipient
from .settings import Settings
from .spool.entry import Addressee, Entry
from .spool.failures import QueueError
from .spool.folder import Folder
from .spool.history import CANNOT_CARRY
from .spool.names import FAILED, QUEUED, SENDING
from .spool.rules import Report, Rules
from .spool.store import Draft, store
from .spool.work import Answer, Work, deliver_each

__all__ = ["CANNOT_CARRY", "ClassicQueue", "draft_of", "resume"]

_KINDS = {RecipientType.TO: "To", RecipientType.CC: "Cc", RecipientType.BCC: "BCc"}


def draft_of(transaction: Transaction, kinds: dict[str, str] | None = None) -> Draft:
    """Make a draft for the queue of a message as it would be sent.

    Args:
        kinds: the header that names each recipient, by address, where that is known.
    """
    # Before a server is known it is as any server takes it.
    content = transaction.content
    addressees = tuple(
        Addressee(
            recipient,
            (kinds or {}).get(recipient.address),
            place in transaction.required,
            transaction.rcpt_options.get(place, ""),
        )
        for place, recipient in enumerate(transaction.envelope.recipients)
    )
    return Draft(Entry(transaction.envelope, addressees, time.time()), content)


def resume(work: Work, answer: Answer) -> Transaction | Error | None:
    """Give a run the answer that it waits for, and get what it hands out next; None at its end."""
    try:
        return work.send(answer)
    except StopIteration:
        return None


class ClassicQueue:
    """The half of `queue` and `process_queue` that both fronts share."""

    settings: Settings
    message_recipients: list[MessageRecipient]
    _was_sent: Callable[[Transaction], None]

    def _store(self, queue_dir: str | Path, transaction: Transaction) -> str:
        """Write the classic message as a file of its own, and give the file's name."""
        kinds: dict[str, str] = {}
        for one in sorted(self.message_recipients, key=lambda recipient: recipient.type):
            kinds.setdefault(one.address, _KINDS[one.type])
        with Folder(queue_dir) as folder:
            name = store(folder, [draft_of(transaction, kinds)])[0] + QUEUED
        self._was_sent(transaction)
        return name

    @contextmanager
    def _queue_work(self, queue_dir: str | Path) -> Iterator[Work]:
        """Open a queue for a run by the settings, and raise at its end what came of it.

        Raises:
            QueueError: messages failed, or are in doubt.
        """
        settings = self.settings
        rules = Rules(
            in_doubt=settings.queue_in_doubt,
            keep=settings.keep_queue,
            stop_on_error=settings.queue_stop_on_error,
        )
        report = Report()
        with Folder(queue_dir) as folder:
            work = deliver_each(folder, rules, report)
            try:
                yield work
            finally:
                work.close()
        if report.failed or report.in_doubt:
            raise QueueError(
                folder.path,
                {name + FAILED: why for name, why in report.failed.items()},
                {name + SENDING: why for name, why in report.in_doubt.items()},
            )
