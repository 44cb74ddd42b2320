"""Control characters: in what becomes a line of the wire or of a file, none may stand."""

from __future__ import annotations

import re

from .errors import BadValue

__all__ = ["find_control", "refuse_controls"]

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
