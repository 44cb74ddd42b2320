"""Faults in an argument: `on=RCPT,nth=2,reply=550 5.1.1 no such user`."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable
from typing import Any

from ..testing import Fault

__all__ = ["read_fault"]


def _bytes(text: str) -> bytes:
    # A line end cannot be typed in an argument.
    return text.encode().replace(rb"\r", b"\r").replace(rb"\n", b"\n")


_KINDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("on", "when", "reply"), str),
    **dict.fromkeys(("received", "sent", "nth", "connection"), int),
    **dict.fromkeys(("delay", "drip"), float),
    "inject": _bytes,
}
_FLAGS = ("silent", "drop", "reset", "half_close", "stall")
_PLACES = (
    *("*", ".", "greeting", "handshake", "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH"),
    *("MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT"),
)
_ACTIONS = ("reply", "delay", "inject", "drip", *_FLAGS)
# A comma may stand in a reply; only one before another name ends a value.
_start = re.compile(rf"(?:^|,)\s*({'|'.join((*_KINDS, *_FLAGS))})(?=[=,]|$)")
_word = re.compile(r"[a-z_]+")


def read_fault(text: str) -> Fault:
    """Read a fault; see `smtps.testing.Fault` for what the names mean."""
    found = list(_start.finditer(text))
    if not found or found[0].start():
        raise _unknown(text, text)
    values: dict[str, Any] = {}
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=True):
        name, value = match[1], text[match.end() : end].removeprefix("=")
        # Only a text may have a comma in it.
        if name in _FLAGS and value:
            raise _unknown(text, value)
        if name == "on" and "," in value:
            raise _unknown(text, value.partition(",")[2])
        try:
            values[name] = True if name in _FLAGS else _KINDS[name](value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r}: {name}={value} is no number") from None
    # Any word can be a command; one that is nearly of this list is misspelled.
    place = values.get("on", "*")
    near = difflib.get_close_matches(place.upper(), _PLACES, n=1, cutoff=0.7)
    if near and place not in _PLACES:
        raise argparse.ArgumentTypeError(f"on={place}: did you mean {near[0]}?")
    if not values.keys() & set(_ACTIONS):
        raise argparse.ArgumentTypeError(
            f"{text!r}: says when, but not what goes wrong; add one of {', '.join(_ACTIONS)}"
        )
    try:
        return Fault(**values)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def _unknown(text: str, part: str) -> argparse.ArgumentTypeError:
    word = _word.search(part)
    close = difflib.get_close_matches(word[0] if word else "", [*_KINDS, *_FLAGS], n=1)
    hint = f"did you mean {close[0]}?" if close else "write on=RCPT,reply=550 no, or the like"
    return argparse.ArgumentTypeError(f"{text!r}: {hint}")
