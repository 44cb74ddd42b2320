"""The parameters of MAIL and RCPT as a program gives them: what can be one, and what cannot.

A value of the wrong type would go out as whatever its text is, so none passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .controls import refuse_controls, shown
from .errors import BadValue

__all__ = [
    "check_deliver_by",
    "check_envid",
    "check_notify",
    "check_orcpt",
    "check_priority",
    "check_ret",
    "check_switch",
]

_NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY")


def check_switch(field: str, value: Any) -> bool:
    """Accept True and False.

    Raises:
        BadValue: it is neither; "no" is true where only truth is asked for.
    """
    if not isinstance(value, bool):
        raise BadValue(field, f"expected True or False, not {type(value).__name__}")
    return value


def check_ret(value: Any) -> Literal["FULL", "HDRS"] | None:
    """Accept how much of a message a failure report repeats. RFC 3461, section 4.3.

    Raises:
        BadValue: it is neither "FULL" nor "HDRS".
    """
    if value is not None and value not in ("FULL", "HDRS"):
        raise BadValue("ret", f'expected "FULL" or "HDRS", not {shown(value)}')
    checked: Literal["FULL", "HDRS"] | None = value
    return checked


def check_envid(value: Any) -> str | None:
    """Accept an identifier that reports repeat: printable ASCII. RFC 3461, section 4.4.

    Raises:
        BadValue: it is something else, empty, or longer than 100 characters.
    """
    if value is None:
        return None
    text = _text("envid", value)
    if not 0 < len(text) <= 100 or not text.isascii():
        raise BadValue("envid", f"expected 1 to 100 ASCII characters, not {shown(text)}")
    return text


def check_deliver_by(value: Any) -> int | None:
    """Accept the seconds of RFC 2852, negative to be told only.

    Raises:
        BadValue: it is no whole number, 0, or of more than nine digits.
    """
    if value is None:
        return None
    seconds = _whole("deliver_by", value)
    if seconds == 0 or abs(seconds) > 999_999_999:
        raise BadValue(
            "deliver_by", f"expected seconds, at most nine digits and not 0, not {shown(seconds)}"
        )
    return seconds


def check_priority(value: Any) -> int | None:
    """Accept a priority of RFC 6710.

    Raises:
        BadValue: it is no whole number from -9 to 9.
    """
    if value is None:
        return None
    priority = _whole("priority", value)
    if not -9 <= priority <= 9:
        raise BadValue("priority", f"{priority} is not between -9 and 9")
    return priority


def check_notify(value: Any) -> tuple[str, ...]:
    """Accept when to report: words, or one text with commas between. RFC 3461, section 4.1.

    Raises:
        BadValue: a word is unknown, comes twice or holds a control character, or NEVER does not
            stand alone.
    """
    if value is None:
        return ()
    given = value.split(",") if isinstance(value, str) else value
    expected = f"expected NEVER, or any of {', '.join(_NOTIFY[1:])}"
    if not isinstance(given, Iterable):
        raise BadValue("notify", f"{expected}, not {type(value).__name__}")
    words = tuple(_text("notify", word).strip().upper() for word in given)
    if not words or any(word not in _NOTIFY for word in words) or len(set(words)) < len(words):
        raise BadValue("notify", f"{expected}, each once, not {shown(value)}")
    if "NEVER" in words and len(words) > 1:
        raise BadValue("notify", f"NEVER stands alone, not in {shown(value)}")
    return words


def check_orcpt(value: Any) -> str | None:
    """Accept the address that the sender knew a recipient by. RFC 3461, section 4.2.

    Raises:
        BadValue: it is no text, empty, or holds a control character.
    """
    if value is None:
        return None
    text = _text("orcpt", value)
    if not text.rpartition(";")[2]:
        raise BadValue("orcpt", "empty; leave it out, or give the original address")
    return text


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(field, f"expected text, not {type(value).__name__}")
    refuse_controls(field, value)
    return value


def _whole(field: str, value: Any) -> int:
    # True is a number for Python, and none for a server.
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(field, f"expected a whole number, not {type(value).__name__}")
    return value
