"""What can go wrong with a queue as a whole."""

from __future__ import annotations

import os

from ..errors import SMTPSError

__all__ = ["QueueError", "QueueFolderError"]


class QueueFolderError(SMTPSError, OSError):
    """The queue's folder cannot be read or written; nothing that it held was lost.

    Args:
        folder: its path.
        action: what was being done.
        cause: what the system reported; its `errno` is this error's.
    """

    retryable = True

    def __init__(self, folder: str, action: str, cause: OSError) -> None:
        words = os.strerror(cause.errno) if cause.errno else str(cause)
        super().__init__(302, f"the queue folder {folder}: {action} failed: {words}")
        self.folder = folder
        self.action = action
        self.errno = cause.errno


class QueueError(SMTPSError):
    """A run through a queue is over, and some of its messages need somebody's attention.

    Args:
        folder: the path of the queue.
        failed: the names of the files that failed, each with the reason.
        in_doubt: those that were handed over without an answer, and are held.
    """

    def __init__(self, folder: str, failed: dict[str, str], in_doubt: dict[str, str]) -> None:
        parts = [
            f"{len(names)} {what}: " + _enumerate(names)
            for what, names in (("failed", failed), ("in doubt", in_doubt))
            if names
        ]
        super().__init__(161, f"the queue {folder}: " + "; ".join(parts))
        self.folder = folder
        self.failed = failed
        self.in_doubt = in_doubt


# More than that nobody reads in a sentence; the attributes hold all.
_MOST_NAMES = 20


def _enumerate(names: dict[str, str]) -> str:
    shown = [f"{name} ({why})" for name, why in list(names.items())[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
