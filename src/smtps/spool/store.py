"""Put messages into the folder, so that none that was promised can be lost: all of them or none."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..codec import normalize_newlines
from ..newlines import normalized
from ..wire.content import Content
from .entry import Entry, format_head
from .folder import Folder, failing, write_all
from .names import QUEUED, TEMPORARY, new_id

__all__ = ["Draft", "store", "sweep", "write_message"]

# Files that are open at once, and bytes that are written before they are synced.
_GROUP_FILES = 200
_GROUP_BYTES = 64 << 20
# A temporary file without an owner is older than any pause between two steps of one that has.
_ABANDONED = 24 * 3600.0


@dataclass(slots=True)
class Draft:
    """A message to be put; the length and checksum of its entry are found on the way."""

    entry: Entry
    content: Content


@dataclass(slots=True)
class _Group:
    """Files that are written and not yet synced."""

    fds: list[int] = field(default_factory=list)
    size: int = 0

    def sync(self) -> None:
        while self.fds:
            fd = self.fds[-1]
            try:
                os.fsync(fd)
            finally:
                # A sync that failed is never tried again: what it did not write, the system drops.
                self.fds.pop()
                os.close(fd)
        self.size = 0


def store(folder: Folder, drafts: Iterable[Draft]) -> list[str]:
    """Write messages and give their ids; they are on the disk, with their names, when it returns.

    Files are written under temporary names and synced, then get their names, then the folder is
    synced once. If anything fails, none of them is in the queue.

    Raises:
        QueueFolderError: the folder does not take them.
        Exception: what making a draft, or reading its content, raised.
    """
    staged: list[str] = []
    group = _Group()
    named = 0
    try:
        for draft in drafts:
            with failing(folder.path, "writing a message"):
                identifier = new_id()
                group.fds.append(folder.create(identifier + TEMPORARY))
                staged.append(identifier)
            group.size += write_message(folder, group.fds[-1], draft)
            if len(group.fds) >= _GROUP_FILES or group.size >= _GROUP_BYTES:
                with failing(folder.path, "syncing a message"):
                    group.sync()
        with failing(folder.path, "syncing a message"):
            group.sync()
            for identifier in staged:
                folder.rename(identifier + TEMPORARY, identifier + QUEUED)
                named += 1
            if staged:
                folder.sync()
    except BaseException:
        _undo(folder, group, staged, named)
        raise
    return staged


def write_message(folder: Folder, fd: int, draft: Draft) -> int:
    """Write one message into a new file, in constant memory, and give its size."""
    content = draft.content
    try:
        if content.whole is not None:
            whole = normalize_newlines(content.whole)
            entry = replace(
                draft.entry, length=len(whole), digest=hashlib.sha256(whole).hexdigest()
            )
            data = format_head(entry) + whole
            with failing(folder.path, "writing a message"):
                write_all(fd, data, 0)
            return len(data)
        return _write_chunks(folder, fd, draft)
    finally:
        content.close()


def _write_chunks(folder: Folder, fd: int, draft: Draft) -> int:
    checksum = hashlib.sha256()
    length = 0
    start = len(format_head(draft.entry))
    # What reading raises is the source's own error, not the folder's.
    for chunk in normalized(draft.content.chunks()):
        checksum.update(chunk)
        with failing(folder.path, "writing a message"):
            write_all(fd, chunk, start + length)
        length += len(chunk)
    head = format_head(replace(draft.entry, length=length, digest=checksum.hexdigest()))
    with failing(folder.path, "writing a message"):
        write_all(fd, head, 0)
    return start + length


def sweep(folder: Folder) -> None:
    """Remove what writers that died have left under temporary names."""
    for name in list(folder.names(TEMPORARY)):
        try:
            fd = folder.open(name + TEMPORARY)
        except OSError:
            continue
        try:
            about = os.fstat(fd)
            old = time.time() - about.st_mtime > _ABANDONED
            if folder.is_ours(about) and old and folder.lock(fd):
                folder.remove(name + TEMPORARY)
        finally:
            os.close(fd)


def _undo(folder: Folder, group: _Group, staged: list[str], named: int) -> None:
    """Take back what is not promised; an error here must not hide the one that led to it."""
    for fd in group.fds:
        os.close(fd)
    for number, identifier in enumerate(staged):
        try:
            # The one whose renaming failed may have either name.
            if number <= named:
                folder.remove(identifier + QUEUED)
            if number >= named:
                folder.remove(identifier + TEMPORARY)
        except OSError:
            continue
