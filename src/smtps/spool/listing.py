"""What is in a queue: a look at its files that changes nothing and claims nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from .entry import Damaged
from .folder import Folder, failing
from .history import Standing
from .load import load
from .names import FAILED, QUEUED, REASON, SENDING, SENT, is_safe

__all__ = ["Listed", "ListedRecipient", "listed", "look", "shown_state"]

_PASS = 65536
_STATES = {QUEUED: "queued", SENDING: "sending", SENT: "sent", FAILED: "failed"}
_REASON_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class ListedRecipient:
    """One recipient of a queued message."""

    address: str
    #: "waiting", "accepted", "refused" or "in doubt".
    standing: str
    #: The last words of the server about it.
    words: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One message of a queue, as it stands."""

    id: str
    #: "queued", "sending", "in doubt", "failed" or "sent".
    state: str
    #: The sender of the envelope.
    sender: str = ""
    recipients: tuple[ListedRecipient, ...] = ()
    #: The bytes of the content.
    size: int = 0
    queued_at: datetime | None = None
    #: How often it was tried.
    attempts: int = 0
    #: When it will be tried again; None for at once, or never.
    next_attempt: datetime | None = None
    #: Why it waits, or failed.
    reason: str = ""


def listed(folder: Folder, states: tuple[str, ...]) -> Iterator[Listed]:
    """Give the messages in these states, each state in the order of their ids.

    Args:
        states: extensions of files.
    """
    for extension in states:
        after = ""
        while True:
            with failing(folder.path, "listing the folder"):
                names = folder.oldest(extension, after=after, limit=_PASS)
            for name in filter(is_safe, names):
                found = look(folder, name, extension)
                if found is not None:
                    yield found
            if len(names) < _PASS:
                break
            after = names[-1]


def look(folder: Folder, identifier: str, extension: str) -> Listed | None:
    """Read one file; None if it is gone, or none of this queue's."""
    with failing(folder.path, "reading {}", identifier):
        try:
            fd = folder.open(identifier + extension, os.O_RDONLY)
        except OSError:
            return None
        try:
            about = os.fstat(fd)
            if not folder.is_ours(about):
                return None
            return _describe(folder, identifier, extension, fd, about.st_size)
        except Damaged as damage:
            reason = _reason(folder, identifier) or damage.reason
            return Listed(identifier, _STATES[extension], reason=reason)
        finally:
            os.close(fd)


def _describe(folder: Folder, identifier: str, extension: str, fd: int, size: int) -> Listed:
    loaded = load(fd, size, check=False)
    entry, progress = loaded.entry, loaded.progress
    recipients = tuple(
        ListedRecipient(one.recipient.address, standing.value, words)
        for one, standing, words in zip(
            entry.addressees, progress.standings, progress.words, strict=True
        )
    )
    waits = extension == QUEUED and progress.attempts
    return Listed(
        identifier,
        shown_state(folder, fd, extension),
        entry.envelope.sender,
        recipients,
        loaded.end - loaded.start,
        datetime.fromtimestamp(entry.queued_at, UTC),
        progress.attempts,
        datetime.fromtimestamp(progress.at + progress.wait, UTC) if waits else None,
        _why(recipients) if extension != FAILED else _reason(folder, identifier),
    )


def shown_state(folder: Folder, fd: int, extension: str) -> str:
    """Name the state: what is `.sending` and nobody's was left behind, perhaps in doubt."""
    if extension == SENDING and folder.lock(fd):
        return "in doubt"
    return _STATES[extension]


def _why(recipients: tuple[ListedRecipient, ...]) -> str:
    for standing in (Standing.IN_DOUBT, Standing.WAITING):
        for one in recipients:
            if one.standing == standing.value and one.words:
                return f"<{one.address}>: {one.words}"
    return ""


def _reason(folder: Folder, identifier: str) -> str:
    try:
        fd = folder.open(identifier + REASON, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(fd, _REASON_LIMIT).decode("utf-8", "backslashreplace").strip()
    finally:
        os.close(fd)
