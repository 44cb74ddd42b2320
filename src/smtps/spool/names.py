"""Names of queue files: unique, in the order in which they were made, and safe on any system."""

from __future__ import annotations

import re
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

from ..controls import shown
from ..errors import BadValue
from ..forks import after_fork

__all__ = [
    "FAILED",
    "INFLIGHT",
    "QUEUED",
    "REASON",
    "SENDING",
    "SENT",
    "STATES",
    "TEMPORARY",
    "check_id",
    "is_safe",
    "new_id",
]

#: The states of a message, as the extension of its file.
QUEUED, SENDING, SENT, FAILED = ".queued", ".sending", ".sent", ".failed"
STATES = (QUEUED, SENDING, SENT, FAILED)
#: Beside a failed file: why it failed, for people.
REASON = ".reason"
#: A message that is still being written.
TEMPORARY = ".tmp"
#: The names that a run over many connections has on their way.
INFLIGHT = ".inflight"

# No separator, no dot or dash in front, nothing that a shell or another system reads otherwise.
_safe = re.compile(r"[0-9A-Za-z][0-9A-Za-z.@_=+-]{0,199}").fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = 0


def _unlock() -> None:
    global _lock
    _lock = threading.Lock()


after_fork(_unlock)


def new_id() -> str:
    """Make a name that no other process makes, and that sorts behind all earlier ones of this one.

    It begins with the time in UTC. Where the clock went back, time stands still for the names.
    """
    global _last
    with _lock:
        _last = moment = max(time.time_ns() // 1000, _last + 1)
    when = _EPOCH + timedelta(microseconds=moment)
    return f"{when:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(6)}"


def is_safe(name: str) -> bool:
    """Tell whether a name without its extension can be one of a message."""
    return _safe(name) is not None


def check_id(text: str) -> str:
    """Give the id of a message, from the id or the name of its file.

    Raises:
        BadValue: it can be neither, such as a path.
    """
    for extension in STATES:
        if isinstance(text, str) and text.endswith(extension):
            text = text[: -len(extension)]
            break
    if not isinstance(text, str) or not is_safe(text):
        raise BadValue("id", f"{shown(text)} is not the id of a queued message; list() names them")
    return text
