"""A claim: one message that this worker has, and nobody else."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..dialogue.transaction import Transaction
from ..envelope import Envelope
from .entry import Damaged, format_time
from .folder import Folder, failing, sync_data, write_all
from .history import Attempt, Progress, Standing, format_record
from .load import Loaded, QueuedContent, load
from .names import FAILED, QUEUED, REASON, SENDING, TEMPORARY
from .schedule import Schedule
from .store import Draft, write_message

__all__ = ["Claim", "Refused", "take"]

_NOT_A_FILE = {
    errno.ELOOP: "a symbolic link",
    errno.EISDIR: "a folder",
    errno.ENXIO: "not a regular file",
    errno.EACCES: "not readable and writable",
    errno.EPERM: "not readable and writable",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file was not claimed. Without a reason it is simply somebody else's, or gone."""

    #: What is wrong with it; it was left alone.
    foreign: str = ""
    #: Why it is not a message; its name ends in `.failed` now.
    damaged: str = ""
    #: The seconds until it is due.
    due_in: float = 0.0


_GONE = Refused()


class Claim:
    """A message with its file open, locked and named `.sending`.

    The lock lasts as long as the file is open, so that a dead worker's claim is free at once.
    """

    def __init__(self, folder: Folder, identifier: str, fd: int, loaded: Loaded) -> None:
        self.folder = folder
        self.id = identifier
        self.fd = fd
        self.loaded = loaded
        self.entry = loaded.entry
        #: The name that the file has now, without its id.
        self.extension = SENDING

    @property
    def progress(self) -> Progress:
        """What is known of it."""
        return self.loaded.progress

    def transaction(self) -> Transaction:
        """Make the transaction for those who still wait.

        Before the end of the content is sent, the file says on the disk that it is.
        """
        places = self.progress.having(Standing.WAITING)
        addressees = [self.entry.addressees[place] for place in places]
        return Transaction(
            self.envelope(places),
            QueuedContent(self.fd, self.loaded, lambda: self.hand_over(places)),
            required=[number for number, one in enumerate(addressees) if one.required],
            rcpt_options={
                number: one.options for number, one in enumerate(addressees) if one.options
            },
        )

    def envelope(self, places: Sequence[int]) -> Envelope:
        """Give the envelope for the recipients at these places, as of now."""
        envelope = self.entry.envelope
        by = envelope.deliver_by
        if len(places) == len(self.entry.addressees) and (by is None or by < 0):
            return envelope
        if by is not None and by > 0:
            # RFC 2852 4: the time that a message has waited is taken off.
            by = max(1, by - max(0, round(time.time() - self.entry.queued_at)))
        return Envelope(
            envelope.sender,
            [self.entry.addressees[place].recipient for place in places],
            smtputf8=envelope.smtputf8,
            ret=envelope.ret,
            envid=envelope.envid,
            requiretls=envelope.requiretls,
            deliver_by=by,
            priority=envelope.priority,
        )

    # --- what is written down ---------------------------------------------------------------------

    def hand_over(self, places: Sequence[int]) -> None:
        """Write down that the message is handed over for these recipients from now on."""
        self.note({"event": "handed over", "to": list(places)})

    def mark(self, line: bytes, places: Sequence[int]) -> None:
        """Write down what `hand_over` does, unsynced, by a line that was made before.

        Raises:
            QueueFolderError: it could not be written.
        """
        self._append(line, sync=False)
        self.progress.open = tuple(places)

    def note(self, record: dict[str, Any], *, sync: bool = True) -> None:
        """Add a line to the history.

        Raises:
            QueueFolderError: it is not on the disk.
        """
        record = {"at": format_time(time.time()), **record}
        self._append(format_record(record), sync=sync)
        self.progress.apply(record)

    def _append(self, line: bytes, *, sync: bool) -> None:
        loaded = self.loaded
        if loaded.good == loaded.end:
            line = b"\n" + line
        with failing(self.folder.path, "writing the history of {}", self.id):
            if loaded.torn:
                os.ftruncate(self.fd, loaded.good)
            # From here to the end of the write a crash leaves a part of a line.
            loaded.torn = True
            write_all(self.fd, line, loaded.good)
            if sync:
                sync_data(self.fd)
        loaded.torn = False
        loaded.good += len(line)

    def note_attempt(self, attempt: Attempt, *, wait: float, waited: float, sync: bool) -> None:
        """Write down what an attempt came to, and how long to wait after it."""
        results = [[place, outcome.value, words] for place, outcome, words in attempt.results]
        record = {"event": "attempt", "results": results, "wait": wait, "waited": waited}
        self.note(record, sync=sync)

    # --- where it goes ----------------------------------------------------------------------------

    def move(self, extension: str) -> None:
        """Give the file the name of another state; nobody's claim any more."""
        with failing(self.folder.path, "renaming {}", self.id):
            self.folder.rename(self.id + self.extension, self.id + extension)
        self.extension = extension

    def remove(self) -> None:
        """Remove the file: it was delivered."""
        with failing(self.folder.path, "removing {}", self.id):
            self.folder.remove(self.id + self.extension)

    def fail(self, reason: str) -> None:
        """Name the file `.failed`, with the reason beside it."""
        write_reason(self.folder, self.id, reason)
        self.move(FAILED)

    def release(self) -> None:
        """Give it back as it was, unless it was handed over: then it stays, in doubt."""
        if not self.progress.open:
            self.move(QUEUED)

    def sync_folder(self) -> None:
        """Wait until the name that the file has now is on the disk."""
        with failing(self.folder.path, "syncing the folder"):
            self.folder.sync()

    def close(self) -> None:
        """Let the lock go."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def take(
    folder: Folder, identifier: str, schedule: Schedule | None, extension: str = QUEUED
) -> Claim | Refused:
    """Claim a message, if it is one, and free, and due.

    Args:
        schedule: tells whether it is due; None takes it at any time.
        extension: `.sending` for one whose owner may have died.

    Raises:
        QueueFolderError: the folder or the system stops the run, and not only this file.
    """
    with failing(folder.path, "claiming {}", identifier):
        try:
            fd = folder.open(identifier + extension)
        except FileNotFoundError:
            return _GONE
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                return Refused(foreign=_NOT_A_FILE[error.errno])
            raise
        claim = None
        try:
            claim = _examine(folder, identifier, fd, schedule, extension)
        finally:
            if not isinstance(claim, Claim):
                os.close(fd)
        return claim


def _examine(
    folder: Folder, identifier: str, fd: int, schedule: Schedule | None, extension: str
) -> Claim | Refused:
    about = os.fstat(fd)
    if not folder.is_ours(about) and about.st_nlink:
        return Refused(foreign="not a regular file of this queue's owner")
    if not folder.lock(fd):
        return _GONE
    # Only now nobody else writes, and nobody gives it another name or takes it away; what is
    # queued shows that when it is renamed.
    name = identifier + extension
    about = os.fstat(fd)
    if not about.st_nlink or not (extension == QUEUED or folder.names_it(name, about)):
        return _GONE
    try:
        loaded = load(fd, about.st_size)
        if loaded.entry.length is None:
            if not folder.names_it(name, about):
                return _GONE
            fd, loaded = _adopt(folder, identifier, fd, loaded, extension)
    except Damaged as damage:
        if extension == FAILED:
            return Refused(damaged=damage.reason)
        if not folder.names_it(name, about):
            return _GONE
        write_reason(folder, identifier, damage.reason)
        folder.rename(name, identifier + FAILED)
        folder.sync()
        return Refused(damaged=damage.reason)
    progress = loaded.progress
    now = time.time()
    if schedule and progress.attempts and not schedule.is_due(now, progress.at, progress.wait):
        return Refused(due_in=progress.at + progress.wait - now)
    if extension == QUEUED:
        try:
            folder.rename(identifier + QUEUED, identifier + SENDING)
        except FileNotFoundError:
            return _GONE
    return Claim(folder, identifier, fd, loaded)


def _adopt(
    folder: Folder, identifier: str, fd: int, loaded: Loaded, extension: str
) -> tuple[int, Loaded]:
    """Write a file that a person made anew, with what a history needs, in its place."""
    temporary = identifier + TEMPORARY
    folder.remove(temporary)
    new = folder.create(temporary)
    try:
        entry = replace(loaded.entry, queued_at=os.fstat(fd).st_mtime)
        write_message(folder, new, Draft(entry, QueuedContent(fd, loaded)))
        os.fsync(new)
        folder.rename(temporary, identifier + extension)
        folder.sync()
        adopted = load(new, os.fstat(new).st_size)
    except BaseException:
        os.close(new)
        folder.remove(temporary)
        raise
    # The number stays the same, so that whoever holds it holds the new file.
    os.dup2(new, fd, inheritable=False)
    os.close(new)
    return fd, adopted


def write_reason(folder: Folder, identifier: str, reason: str) -> None:
    """Say beside a failed file why it failed."""
    with failing(folder.path, "writing the reason of {}", identifier):
        folder.remove(identifier + REASON)
        fd = folder.create(identifier + REASON)
        try:
            write_all(fd, reason.encode("utf-8", "backslashreplace") + b"\n", 0)
        finally:
            os.close(fd)
