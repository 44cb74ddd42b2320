"""Message-ID, Date and boundaries: made here, or checked when a program brings its own."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from itertools import count

from ..controls import require_text, shown
from ..errors import BadValue
from ..forks import after_fork

__all__ = [
    "check_date",
    "check_message_id",
    "date_now",
    "format_date",
    "new_boundary",
    "new_message_id",
]

_message_id = re.compile(r"[!-;=?-~]{1,900}").fullmatch
_date = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?"
    r"[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[+-][0-9]{4}|GMT|UT)(?: \([A-Za-z0-9 +-]*\))?"
).fullmatch


# Random words, made many at a time: to ask the system for each takes longer than all else here. A
# fork must not give them out twice.
_unique: list[str] = []
_BATCH = 64
after_fork(_unique.clear)


def _make_unique() -> str:
    """Fill the stock, and give one more."""
    words = secrets.token_hex(16 * _BATCH)
    first, *others = (words[at : at + 32] for at in range(0, len(words), 32))
    _unique.extend(others)
    return first


def new_message_id(domain: str) -> str:
    """Make a Message-ID that no one else makes: 128 random bits at the sender's domain.

    Args:
        domain: in its ASCII form.
    """
    try:
        unique = _unique.pop()
    except IndexError:
        unique = _make_unique()
    return f"<{unique}@{domain}>"


_run = secrets.token_hex(12)
_number = count()


def new_boundary() -> str:
    """Make a boundary: another for every message, which no text that is there can hold."""
    return f"{_run}{next(_number):x}"


def check_message_id(text: str, *, field: str) -> str:
    """Return a program's own Message-ID, with its angle brackets added if they are missing.

    Raises:
        BadValue: it is empty, or holds white space, a bracket or a character outside ASCII.
    """
    inside = require_text(field, text).removeprefix("<").removesuffix(">")
    if not _message_id(inside):
        raise BadValue(
            field, f"expected <left@right> in printable ASCII without spaces, not {shown(text)}"
        )
    return f"<{inside}>"


def format_date(when: datetime | None = None) -> str:
    """Return a date as headers write it, the local time now by default. RFC 5322, section 3.3.

    Args:
        when: without a time zone it is local time.
    """
    when = (when or datetime.now(UTC)).astimezone() if when is None or not when.tzinfo else when
    offset = when.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        # A zone with seconds in it (local mean time) cannot be written.
        when = when.astimezone(UTC)
    return format_datetime(when)


_shown: tuple[int, str] = (0, "")


def date_now() -> str:
    """Return the local time now, as headers write it; made once a second."""
    global _shown
    second = int(time.time())
    known, text = _shown
    if known != second:
        text = format_date()
        _shown = (second, text)
    return text


def check_date(text: str, *, field: str) -> str:
    """Return a program's own date, if it is one that RFC 5322 allows.

    Raises:
        BadValue: it has another form, or there is no such day or time.
    """
    if not isinstance(text, str):
        raise BadValue(field, f"expected a datetime or text, not {type(text).__name__}")
    return _checked_date(text, field)


# Messages of one second have one date.
@lru_cache(maxsize=64)
def _checked_date(text: str, field: str) -> str:
    example = "expected a date like Mon, 02 Jan 2006 15:04:05 +0000"
    if not _date(text):
        raise BadValue(field, f"{example}, not {shown(text)}")
    try:
        parsedate_to_datetime(text)
    except ValueError as error:
        raise BadValue(field, f"there is no {shown(text)}; {example}") from error
    return text
