"""Texts with `{{ field }}` in them: cut once, filled for each row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import BadValue
from .transfer import utf8

__all__ = ["Template", "has_fields"]

_field = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_.-]*+)[ \t]*+\}\}")


def has_fields(text: object) -> bool:
    """Tell whether a text has a field to be filled."""
    return isinstance(text, str) and "{{" in text and _field.search(text) is not None


class Template:
    """A text and the fields in it.

    Args:
        quote: what is done to a value before it is put in, such as escaping for HTML.
    """

    __slots__ = ("_names", "_pieces", "_pieces_utf8", "_places", "_quote")

    def __init__(self, text: str, quote: Callable[[str], str] = str) -> None:
        #: What does not change, and between two such pieces the name of a field.
        self._pieces = _field.split(text)
        self._pieces_utf8 = [utf8(piece, "text") for piece in self._pieces]
        self._places = list(enumerate(self._pieces))[1::2]
        #: Each field once, however often it stands there.
        self._names = list(dict.fromkeys(self._pieces[1::2]))
        self._quote = quote

    def fill(self, row: Mapping[str, Any]) -> str:
        """Put the values of a row in.

        Raises:
            BadValue: the row has no such field, or None in it.
        """
        quote = self._quote
        values = {name: quote(_value(row, name)) for name in self._names}
        pieces = self._pieces.copy()
        for place, name in self._places:
            pieces[place] = values[name]
        return "".join(pieces)

    def values_of(self, row: Mapping[str, Any]) -> dict[str, bytes]:
        """Take the values of a row, for `join`.

        Raises:
            BadValue: as `fill`.
        """
        quote = self._quote
        return {name: utf8(quote(_value(row, name)), name) for name in self._names}

    def join(self, values: Mapping[str, bytes]) -> bytes:
        """Put values in; what does not change was encoded before."""
        pieces = self._pieces_utf8.copy()
        for place, name in self._places:
            pieces[place] = values[name]
        return b"".join(pieces)

    def sample(self, value: str) -> str:
        """Put the same value into every field."""
        return value.join(self._pieces[::2])


def _value(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        raise BadValue(name, "missing; give every row a value, or leave the field out of the text")
    return value if isinstance(value, str) else str(value)
