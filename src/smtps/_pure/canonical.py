"""Headers and body in the canonical form that a signature is made over. RFC 6376, 3.4."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BodyCanonicalizer", "canonical_fields"]

_blanks = re.compile(rb"[ \t]+")
_fold = re.compile(rb"\r\n(?=[ \t])")
_end = re.compile(rb"\r\n(?![ \t])")


def canonical_fields(headers: Buffer, relaxed: bool = True, /) -> list[tuple[bytes, bytes]]:
    """Part a header block into its fields, and bring each into its canonical form.

    Args:
        relaxed: whether names are made lower case and white space in values counts as one blank;
            otherwise fields stay as they are.

    Returns:
        The name of each in lower case, and the field without its last line end.
    """
    return [_field(field, relaxed) for field in _end.split(as_bytes(headers)) if field]


def _field(field: bytes, relaxed: bool) -> tuple[bytes, bytes]:
    name, _, value = field.partition(b":")
    name = name.rstrip(b" \t").lower()
    if relaxed:
        value = _blanks.sub(b" ", _fold.sub(b"", value)).strip(b" ")
        field = name + b":" + value
    return name.lstrip(b" \t"), field


class BodyCanonicalizer:
    """Bring a body into its canonical form, chunk by chunk.

    Bare CR and LF count as line ends, as they become CRLF on the wire. Empty lines at the end are
    left out.

    Args:
        relaxed: whether white space inside a line counts as one blank, and none at its end;
            otherwise every byte counts.
    """

    def __init__(self, relaxed: bool = True) -> None:
        self._relaxed = relaxed
        self._begin()

    def _begin(self) -> None:
        # What is held back until it is known whether something follows: line ends, then a blank.
        self._line_ends = 0
        self._blank = False
        self._cr = False
        self._is_empty = True

    def update(self, chunk: Buffer, /) -> bytes:
        """Give what is known of the canonical form so far."""
        data = as_bytes(chunk)
        if self._cr and data:
            data = b"\r" + data
        self._cr = data.endswith(b"\r") if data else self._cr
        text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._cr and data:
            text = text[:-1]
        if self._relaxed:
            text = _blanks.sub(b" ", b" " + text if self._blank else text).replace(b" \n", b"\n")
            solid = text.rstrip(b" \n")
        else:
            solid = text.rstrip(b"\n")
        tail = text[len(solid) :]
        held = self._line_ends
        if not solid:
            self._line_ends += tail.count(b"\n")
            self._blank = tail.endswith(b" ")
            return b""
        self._line_ends = tail.count(b"\n")
        self._blank = tail.endswith(b" ")
        self._is_empty = False
        return b"\r\n" * held + solid.replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """Give what is left; the object is as new afterwards."""
        # RFC 6376 3.4.3: in the simple form an empty body is one line end; 3.4.4: here nothing.
        ending = b"" if self._relaxed and self._is_empty else b"\r\n"
        self._begin()
        return ending
