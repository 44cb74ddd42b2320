"""The kinds of options: what each takes, how it reads text, and how it shows its value.

Every function declares one option, with the name that it has in the classic component first. What
it refuses is a `BadValue` that names the option, the value and what would do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeVar

from .controls import refuse_controls, shown
from .errors import BadValue
from .octets import octets_of
from .options import Option

__all__ = ["callback", "choice", "flag", "moment", "number", "octets", "seconds", "text"]

E = TypeVar("E", bound=IntEnum)


def text(
    name: str,
    default: str = "",
    *,
    check: Callable[[str, str], str] | None = None,
    lines: bool = False,
    locked: int = 0,
    secret: bool = False,
    live: bool = False,
    doc: str = "",
) -> Option[str]:
    """Declare an option that is text: one line, or with `lines` any number, checked later."""

    def checked(field: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(field, f"expected text, not {type(value).__name__}")
        if not lines:
            refuse_controls(field, value)
        return check(field, value) if check else value

    return Option(
        name,
        default,
        check=checked,
        parse=lambda _, value: value,
        locked=locked,
        secret=secret,
        live=live,
        doc=doc,
    )


def moment(name: str, default: str, *, doc: str = "") -> Option[str | datetime]:
    """Declare an option that is a moment: a `datetime`, or text that is used as it is."""

    def checked(field: str, value: Any) -> str | datetime:
        if isinstance(value, datetime):
            return value
        if not isinstance(value, str):
            raise BadValue(field, f"expected text or a datetime, not {type(value).__name__}")
        refuse_controls(field, value)
        return value

    return Option(name, default, check=checked, parse=lambda _, value: value, doc=doc)


def octets(name: str, *, doc: str = "") -> Option[bytes]:
    """Declare an option that is bytes; from text it is taken as UTF-8."""

    def checked(field: str, value: Any) -> bytes:
        found = octets_of(value)
        if found is None:
            raise BadValue(field, f"expected bytes, not {type(value).__name__}; encode it")
        return found

    return Option(
        name,
        b"",
        check=checked,
        parse=lambda _, value: value.encode(),
        show=lambda value: value.decode(errors="backslashreplace"),
        doc=doc,
    )


def number(
    name: str,
    default: int,
    *,
    low: int,
    high: int,
    check: Callable[[str, int], int] | None = None,
    locked: int = 0,
    live: bool = False,
    doc: str = "",
) -> Option[int]:
    """Declare an option that is a whole number from `low` to `high`."""

    def checked(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue(field, f"expected a whole number, not {shown(value)}")
        if not low <= value <= high:
            raise BadValue(field, f"{value} is not between {low} and {high}")
        return check(field, int(value)) if check else int(value)

    def parsed(field: str, value: str) -> int:
        try:
            return int(value, 0)
        except ValueError:
            raise BadValue(field, f"{value!r} is not a whole number") from None

    return Option(name, default, check=checked, parse=parsed, locked=locked, live=live, doc=doc)


# 23 days. The system counts milliseconds in 31 bits where it waits.
_LONGEST = 2_000_000


def seconds(name: str, default: float, *, doc: str = "") -> Option[float]:
    """Declare an option that is a time in seconds, from 0 to 2,000,000, fractions allowed."""

    def checked(field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadValue(field, f"expected a number, not {shown(value)}")
        if not 0 <= value <= _LONGEST:
            raise BadValue(field, f"expected 0 to {_LONGEST:,} seconds, not {shown(value)}")
        return value

    def parsed(field: str, value: str) -> float:
        try:
            return float(value)
        except ValueError:
            raise BadValue(field, f"{value!r} is not a number") from None

    return Option(name, default, check=checked, parse=parsed, show=_plain, doc=doc)


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def callback(name: str, *, doc: str = "") -> Option[Callable[..., Any] | None]:
    """Declare an option that is a function of the program, or None."""

    def checked(field: str, value: Any) -> Callable[..., Any] | None:
        if value is not None and not callable(value):
            raise BadValue(field, f"expected a function, not {type(value).__name__}")
        function: Callable[..., Any] | None = value
        return function

    def parsed(field: str, _: str) -> Any:
        raise BadValue(field, "a function cannot be named in text; assign it")

    def named(value: Callable[..., Any] | None) -> str:
        return "" if value is None else getattr(value, "__qualname__", type(value).__name__)

    return Option(name, None, check=checked, parse=parsed, show=named, doc=doc)


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def flag(name: str, default: bool, *, doc: str = "") -> Option[bool]:
    """Declare an option that is on or off."""

    def checked(field: str, value: Any) -> bool:
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise BadValue(field, f"expected True or False, not {value!r}")
        return bool(value)

    def parsed(field: str, value: str) -> bool:
        try:
            return _TRUTH[value.strip().lower()]
        except KeyError:
            raise BadValue(field, f"{value!r} is neither true nor false") from None

    return Option(
        name, default, check=checked, parse=parsed, show=lambda v: str(v).lower(), doc=doc
    )


def choice(
    name: str, default: E, *, locked: int = 0, words: bool = False, doc: str = ""
) -> Option[E]:
    """Declare an option that is a member of the enumeration of its default.

    Args:
        words: whether its text form is the member's name, such as "assume-sent", not its number.
    """
    kind = type(default)
    names = ", ".join(f"{member.value} {member.name}" for member in kind)

    def checked(field: str, value: Any) -> E:
        try:
            if isinstance(value, bool):
                raise ValueError
            return kind(parsed(field, value) if words and isinstance(value, str) else value)
        except ValueError:
            raise BadValue(field, f"{value!r} is none of {names}") from None

    def parsed(_: str, value: str) -> Any:
        spelled = value.strip().upper().replace("-", "_")
        if spelled in kind.__members__:
            return kind[spelled]
        return int(spelled) if spelled.isdecimal() else value

    return Option(
        name,
        default,
        check=checked,
        parse=parsed,
        show=lambda v: v.name.lower().replace("_", "-") if words else str(v.value),
        locked=locked,
        doc=doc,
    )
