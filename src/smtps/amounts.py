"""Amounts that a program gives as arguments: counts, and seconds."""

from __future__ import annotations

from math import inf

from .errors import BadValue

__all__ = ["check_count", "check_seconds"]


def check_count(field: str, value: int, *, least: int = 1) -> int:
    """Accept a whole number of at least `least`.

    Raises:
        BadValue: it is none.
    """
    # True is a number for Python, and no count.
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadValue(field, f"expected a whole number of at least {least}, not {value!r}")
    return value


def check_seconds(field: str, value: float) -> float:
    """Accept a number of seconds, fractions allowed, 0 or more and not without end.

    Raises:
        BadValue: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < inf:
        raise BadValue(field, f"expected a number of seconds, 0 or more, not {value!r}")
    return value
