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

    __slots__ = ("_names", "_quote", "_static", "_static_bytes")

    def __init__(self, text: str, quote: Callable[[str], str] = str) -> None:
        cut = _field.split(text)
        self._static = cut[::2]
        self._names = cut[1::2]
        self._quote = quote
        self._static_bytes = [utf8(piece, "text") for piece in self._static]

    def fill(self, row: Mapping[str, Any]) -> str:
        """Put the values of a row in.

        Raises:
            BadValue: the row has no such field, or None in it.
        """
        if not self._names:
            return self._static[0]
        pieces = self._static.copy()
        for place, name in enumerate(self._names):
            pieces[place] += self._quote(_value(row, name))
        return "".join(pieces)

    def sample(self, value: str) -> str:
        """Put the same value into every field."""
        return value.join(self._static)

    def fill_bytes(self, row: Mapping[str, Any]) -> bytes:
        """Like `fill`, in UTF-8; what does not change was encoded before."""
        if not self._names:
            return self._static_bytes[0]
        pieces: list[bytes] = []
        for static, name in zip(self._static_bytes, self._names, strict=False):
            pieces += (static, utf8(self._quote(_value(row, name)), name))
        pieces.append(self._static_bytes[-1])
        return b"".join(pieces)


def _value(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        raise BadValue(name, "missing; give every row a value, or leave the field out of the text")
    return value if isinstance(value, str) else str(value)
