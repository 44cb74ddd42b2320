"""Texts with `{{ field }}` in them: cut once, filled for each row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import BadValue
from .transfer import utf8

__all__ = ["Template", "has_fields", "values_of"]

# A name of one or more words, as the columns of a table have them.
_field = re.compile(r"\{\{[ \t]*+([^\W\d][\w.-]*+(?: [\w.-]++)*)[ \t]*+\}\}")


def has_fields(text: object) -> bool:
    """Tell whether a text has a field to be filled."""
    return isinstance(text, str) and "{{" in text and _field.search(text) is not None


class Template:
    """A text and the fields in it."""

    __slots__ = ("_pieces", "_pieces_utf8", "_places", "names")

    #: Each field once, however often it stands there.
    names: tuple[str, ...]

    def __init__(self, text: str) -> None:
        #: What does not change, and between two such pieces the name of a field.
        self._pieces = _field.split(text)
        self._pieces_utf8 = [utf8(piece, "text") for piece in self._pieces]
        self._places = list(enumerate(self._pieces))[1::2]
        self.names = tuple(dict.fromkeys(self._pieces[1::2]))

    def fill(self, values: Mapping[str, str]) -> str:
        """Put values in; there must be one for each of `names`."""
        pieces = self._pieces.copy()
        for place, name in self._places:
            pieces[place] = values[name]
        return "".join(pieces)

    def fill_utf8(self, values: Mapping[str, bytes]) -> bytes:
        """Like `fill`, in UTF-8; what does not change was encoded before."""
        pieces = self._pieces_utf8.copy()
        for place, name in self._places:
            pieces[place] = values[name]
        return b"".join(pieces)

    def cut(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Give what does not change, and for what is between the place of its name in `names`."""
        pieces = self._pieces
        return tuple(pieces[::2]), tuple([names.index(name) for name in pieces[1::2]])

    def sample(self, value: str) -> str:
        """Put the same value into every field."""
        return value.join(self._pieces[::2])


def values_of(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Take the values of these fields out of a row, as text.

    Args:
        row: a mapping, or what is read like one by its `keys`, as rows of `sqlite3` are.

    Raises:
        BadValue: the row is none, or has no such field, or None in it, or half of a surrogate pair.
    """
    if not hasattr(row, "keys"):
        raise BadValue("fields", f"expected a mapping, such as a dict, not {type(row).__name__}")
    values = {}
    for name in names:
        value = row[name] if name in row.keys() else None  # noqa: SIM118
        if value is None:
            raise BadValue(
                name, "missing; give every row a value, or leave the field out of the text"
            )
        values[name] = value if type(value) is str else str(value)
        utf8(values[name], name)
    return values
