"""What a person does to a queue by hand: try a message again, or take it away."""

from __future__ import annotations

import os

from ..errors import BadValue
from .claim import Claim, take
from .folder import Folder, failing
from .names import FAILED, QUEUED, REASON, SENDING, SENT

__all__ = ["remove", "retry"]

_BUSY = "a worker is sending it now; wait for its end"


def retry(folder: Folder, identifier: str) -> None:
    """Make a message due at once, whatever became of it; who has it already gets no second copy.

    Raises:
        BadValue: there is no such message, it was sent, is being sent, or its file is damaged.
    """
    for extension in (QUEUED, FAILED, SENDING):
        fd = _open(folder, identifier, extension)
        if fd is None:
            continue
        os.close(fd)
        claim = take(folder, identifier, None, extension)
        if not isinstance(claim, Claim):
            raise BadValue("id", claim.foreign or claim.damaged or _BUSY)
        try:
            if extension == FAILED:
                claim.extension = FAILED
            claim.note({"event": "retry"})
            claim.move(QUEUED)
            claim.sync_folder()
        finally:
            claim.close()
        with failing(folder.path, "removing the reason of {}", identifier):
            folder.remove(identifier + REASON)
        return
    raise BadValue("id", _absent(folder, identifier))


def remove(folder: Folder, identifier: str) -> None:
    """Take a message away, in whatever state it is.

    Raises:
        BadValue: there is no such message, or it is being sent.
    """
    for extension in (QUEUED, FAILED, SENDING, SENT):
        fd = _open(folder, identifier, extension)
        if fd is None:
            continue
        with failing(folder.path, "removing {}", identifier):
            try:
                if not folder.lock(fd):
                    raise BadValue("id", _BUSY)
                gone = folder.remove(identifier + extension)
                folder.remove(identifier + REASON)
                folder.sync()
            finally:
                os.close(fd)
        if gone:
            return
    raise BadValue("id", _absent(folder, identifier))


def _open(folder: Folder, identifier: str, extension: str) -> int | None:
    with failing(folder.path, "opening {}", identifier):
        try:
            return folder.open(identifier + extension, os.O_RDONLY)
        except FileNotFoundError:
            return None


def _absent(folder: Folder, identifier: str) -> str:
    fd = _open(folder, identifier, SENT)
    if fd is not None:
        os.close(fd)
        return "it was sent"
    return f"there is no such message in the queue: {identifier!r}"
