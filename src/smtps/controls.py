"""What text may be: no control characters where it becomes a line, and how errors show it."""

from __future__ import annotations

import re

from .errors import BadValue

__all__ = ["find_control", "refuse_controls", "require_text", "shown"]

#: Find the first control character of a text: one below U+0020, U+007F, or half of a surrogate
#: pair, which has no bytes that could be sent.
find_control = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]").search


def refuse_controls(field: str, value: str) -> None:
    """Refuse control characters, which could end a line and begin another.

    Raises:
        BadValue: it holds a character below U+0020, or U+007F, or half of a surrogate pair.
    """
    if found := find_control(value):
        point, position = ord(found[0]), found.start()
        reason = f"control character U+{point:04X} at position {position}; remove it"
        raise BadValue(field, reason)


def require_text(field: str, value: object) -> str:
    """Give a value that is text.

    Raises:
        BadValue: it is something else.
    """
    if not isinstance(value, str):
        raise BadValue(field, f"expected text, not {type(value).__name__}")
    return value


def shown(value: object) -> str:
    """Return a value for an error: nothing invisible in it, and 60 characters at most."""
    is_long = isinstance(value, (str, bytes)) and len(value) > 60
    shown = repr(value[:60] if isinstance(value, (str, bytes)) else value)
    return f"{shown[:56]}...{shown[-1]}" if is_long or len(shown) > 60 else shown
