"""What many messages at once need for a power cut: the names that are on their way, in one file.

A message that goes alone says in its own file, synced, that it is handed over. Where hundreds are
in flight, each says so without a sync, which a killed process cannot undo; a power cut can, and
then this file, synced once for all of them, still knows their names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from .boot import boot_id
from .folder import Folder, sync_data, write_all
from .names import INFLIGHT, new_id

__all__ = ["Inflight", "Suspects"]

_FIRST_LINE = "X-SMTPS-Inflight: 1"
# A name has some forty bytes; nobody has so many messages in flight.
_LIMIT = 16 << 20


class Inflight:
    """The file of one group of messages, locked while its worker lives."""

    def __init__(self, folder: Folder, names: Iterable[str]) -> None:
        self._folder = folder
        self._name = new_id() + INFLIGHT
        self._fd = folder.create(self._name)
        try:
            lines = [_FIRST_LINE, f"Boot: {boot_id()}", *names, ""]
            write_all(self._fd, "\n".join(lines).encode(), 0)
            sync_data(self._fd)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove it: what became of its messages is on the disk."""
        try:
            self._folder.remove(self._name)
        finally:
            self.leave()

    def leave(self) -> None:
        """Leave it to whoever looks after what this worker has not brought to an end."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Suspects:
    """The messages that a machine had on its way when it stopped, as it had written down."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._files = list(folder.names(INFLIGHT))
        self._names: set[str] = set()
        for name in self._files:
            self._names.update(self._read(name))

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._names

    def clear(self) -> None:
        """Remove the files of dead workers, once all their messages have been looked at."""
        for name in self._files:
            try:
                fd = self._folder.open(name + INFLIGHT)
            except OSError:
                continue
            try:
                if self._folder.is_ours(os.fstat(fd)) and self._folder.lock(fd):
                    self._folder.remove(name + INFLIGHT)
            finally:
                os.close(fd)

    def _read(self, name: str) -> list[str]:
        """Give the names in a file; none if its machine still runs, as then nothing was undone."""
        try:
            fd = self._folder.open(name + INFLIGHT, os.O_RDONLY)
        except OSError:
            return []
        try:
            about = os.fstat(fd)
            if not self._folder.is_ours(about):
                return []
            text = os.pread(fd, min(about.st_size, _LIMIT), 0).decode("ascii", "replace")
        finally:
            os.close(fd)
        lines = text.split("\n")
        if len(lines) < 2 or lines[0] != _FIRST_LINE:
            return []
        boot = lines[1].removeprefix("Boot: ")
        return [] if boot and boot == boot_id() else lines[2:]
