"""What became of messages: counted, written to a CSV, and told."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, TextIO

from ..errors import BadValue
from ..receipt import Outcome, Receipt
from .exits import CANTCREAT, IOERR, OK, Failure, status_of_all, status_of_receipt
from .terminal import counted, plain

__all__ = ["LOST", "Records", "Tally", "facts_of", "lost_facts", "sentences"]

#: Why nobody knows what became of a message that was dropped on its way.
LOST = "interrupted before the answer came"

# Of those that went wrong so many are named; the receipts hold all.
_MOST_NAMED = 10
_COLUMNS = ("row", "message_id", "sender", "recipient", "outcome", "code", "enhanced", "reply")
_WORDS = {
    Outcome.UNKNOWN: "perhaps sent",
    Outcome.REFUSED: "refused",
    Outcome.DEFERRED: "deferred",
    Outcome.NOT_SENT: "not sent",
    Outcome.ACCEPTED: "accepted",
}


class Tally:
    """Counts of messages by the gravest outcome among their recipients."""

    def __init__(self) -> None:
        self.messages: Counter[Outcome] = Counter()
        self.recipients: Counter[Outcome] = Counter()
        self.statuses: set[int] = set()
        #: What went wrong, the first of it.
        self.problems: list[str] = []

    def add(self, receipt: Receipt, row: int) -> None:
        """Count one."""
        if receipt.ok:
            self.messages[Outcome.ACCEPTED] += 1
            self.recipients[Outcome.ACCEPTED] += len(receipt.results)
            return
        self.recipients.update(result.outcome for result in receipt.results)
        self.messages[_gravest(receipt)] += 1
        self.statuses.add(status_of_receipt(receipt))
        if len(self.problems) < _MOST_NAMED:
            self.problems += [f"row {row}: {line}" for line in sentences(receipt, wrong_only=True)]

    def lose(self, count: int) -> None:
        """Count messages that were on their way when all was dropped."""
        if count:
            self.messages[Outcome.UNKNOWN] += count
            self.statuses.add(IOERR)

    @property
    def status(self) -> int:
        """The exit status."""
        return status_of_all(self.statuses) if self.statuses else OK

    def __str__(self) -> str:
        counts = [
            f"{self.messages[outcome]:,} {word}"
            for outcome, word in sorted(_WORDS.items(), key=lambda item: item[1])
            if self.messages[outcome]
        ]
        total = sum(self.messages.values())
        return f"{counted(total, 'message')}: {', '.join(counts) or 'none sent'}"

    def facts(self) -> dict[str, Any]:
        """Give the counts for JSON."""
        return {
            "messages": {outcome.value: self.messages[outcome] for outcome in Outcome},
            "recipients": {outcome.value: self.recipients[outcome] for outcome in Outcome},
        }


class Records:
    """A CSV with one line for each recipient, written as it is known.

    Args:
        path: a file that must not be there yet; None: nothing is written.

    Raises:
        Failure: it cannot be made.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._is_empty = True
        #: Whether no more can be written.
        self._is_full = False
        if path is None:
            return
        try:
            # Line by line, so that what is known is there whatever ends this process.
            self._file = open(path, "x", encoding="utf-8", newline="", buffering=1)  # noqa: SIM115
        except FileExistsError:
            reason = "is there already; name another file, or move it away"
            raise Failure(f"--receipts {path}: {reason}", CANTCREAT) from None
        except OSError as error:
            raise Failure(f"--receipts {path}: {error.strerror}", CANTCREAT) from error
        self._writer = csv.writer(self._file)
        self._write(_COLUMNS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._file is None:
            return
        if self._is_full:
            # It was said, and closing would try to write the same once more.
            with suppress(OSError):
                self._file.close()
            return
        with self._writing():
            self._file.close()
        if error is not None and self._is_empty:
            # Nothing was begun, and the same call is made again once what is wrong is mended.
            os.unlink(self._file.name)

    def add(self, receipt: Receipt, row: int) -> None:
        """Write what became of one message."""
        if self._file is None:
            return
        self._is_empty = False
        about = (row, receipt.message_id or "", receipt.sender)
        if not receipt.results:
            self._write((*about, "", Outcome.NOT_SENT.value, "", "", _reason(receipt)))
        for result in receipt.results:
            reply = result.reply
            words = reply.text if reply else str(receipt.error or "")
            code, enhanced = (reply.code, reply.enhanced or "") if reply else ("", "")
            self._write(
                (*about, result.address, result.outcome.value, code, enhanced, plain(words))
            )

    def lose(self, row: int) -> None:
        """Write that nobody knows what became of a message."""
        self._is_empty = False
        if self._file is not None:
            self._write((row, "", "", "", Outcome.UNKNOWN.value, "", "", LOST))

    def _write(self, cells: tuple[object, ...]) -> None:
        with self._writing():
            self._writer.writerow(cells)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._is_full = True
            raise Failure(f"--receipts {self._path}: {error.strerror}", IOERR) from error


def facts_of(receipt: Receipt, row: int | None = None) -> dict[str, Any]:
    """Give a receipt for JSON."""
    results = [
        {
            "address": result.address,
            "outcome": result.outcome.value,
            "reply": str(result.reply) if result.reply else None,
        }
        for result in receipt.results
    ]
    return {
        **({} if row is None else {"row": row}),
        "ok": receipt.ok,
        "message_id": receipt.message_id,
        "sender": receipt.sender,
        "results": results,
        "error": str(receipt.error) if receipt.error else None,
    }


def lost_facts(row: int) -> dict[str, Any]:
    """Give the same of a message that was on its way when all was dropped."""
    nothing: dict[str, Any] = {"message_id": None, "sender": None, "results": []}
    return {"row": row, "ok": False, **nothing, "error": f"{LOST}; perhaps sent"}


def sentences(receipt: Receipt, *, wrong_only: bool = False) -> list[str]:
    """Tell what became of each recipient, one line each."""
    if not receipt.results:
        return [f"not sent: {_reason(receipt)}"]
    return [
        plain(f"{result.address} {_WORDS[result.outcome]}: {result.reply or receipt.error or ''}")
        for result in receipt.results
        if not wrong_only or result.outcome is not Outcome.ACCEPTED
    ]


def _reason(receipt: Receipt) -> str:
    """Tell why there was nothing to send; which row that is, the caller counts itself."""
    error = receipt.error
    if isinstance(error, BadValue) and error.field.startswith("row ") and error.__cause__:
        return plain(str(error.__cause__))
    return plain(str(error or ""))


def _gravest(receipt: Receipt) -> Outcome:
    outcomes = {result.outcome for result in receipt.results}
    return next((outcome for outcome in _WORDS if outcome in outcomes), Outcome.NOT_SENT)
