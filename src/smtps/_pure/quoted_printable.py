"""Quoted-printable of text. RFC 2045, section 6.7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["encode_quoted_printable"]

_special = re.compile(rb"[^\t -<>-~]").sub
_ESCAPES = [b"=%02X" % byte for byte in range(256)]


def encode_quoted_printable(data: Buffer) -> bytes:
    """Encode text with any newlines into lines of at most 76 characters that end in CRLF.

    Lines are filled as far as they go and broken softly before what does not fit; the bytes of a
    UTF-8 sequence stay together. White space at the end of a line is encoded, and so are a dot and
    the F of "From " that open one: careless transports change those. No newline is added at the
    end.
    """
    lines = as_bytes(data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\r\n".join([_encode_line(line) for line in lines])


def _encode_line(line: bytes) -> bytes:
    text = _special(lambda match: _ESCAPES[match[0][0]], line)
    if text[-1:] in (b" ", b"\t") and text:
        text = text[:-1] + _ESCAPES[text[-1]]
    text = _guard(text)
    if len(text) <= 76:
        return text
    pieces = []
    while len(text) > 76:
        cut = _cut(text)
        pieces.append(text[:cut] + b"=")
        text = _guard(text[cut:])
    pieces.append(text)
    return b"\r\n".join(pieces)


def _cut(text: bytes) -> int:
    """Find where the output line ends: at 75 characters, or before what would be cut there."""
    cut = 75
    # Never inside =XX.
    if text[cut - 1] == 0x3D:
        cut -= 1
    elif text[cut - 2] == 0x3D:
        cut -= 2
    # Nor inside the escapes of one UTF-8 sequence: a lead byte and up to three that follow it.
    start = cut
    for _ in range(3):
        if not _is_continuation(text, start):
            break
        start -= 3
        if _is_lead(text, start):
            return start
    return cut


def _is_continuation(text: bytes, at: int) -> bool:
    return text[at] == 0x3D and text[at + 1] in b"89AB"


def _is_lead(text: bytes, at: int) -> bool:
    return text[at] == 0x3D and text[at + 1] in b"CDEF"


def _guard(text: bytes) -> bytes:
    """Encode what must not open a line."""
    if text[:1] == b".":
        return b"=2E" + text[1:]
    # The space may be the last of its line, and so encoded already.
    return b"=46" + text[1:] if text.startswith((b"From ", b"From=20")) else text
