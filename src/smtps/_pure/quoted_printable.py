"""Quoted-printable of text. RFC 2045, section 6.7."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["encode_quoted_printable"]

_HIGH = bytes(range(128, 256))
_PLAIN = bytes(byte for byte in b"\t\n" + bytes(range(32, 127)) if byte != ord("="))

# CPython writes the bytes above 127 as \xe9 at ten times the speed of a function call each. To get
# =E9 from that, what stands for itself is first moved out of the way of "\", "x" and a to f.
_BEFORE = bytes.maketrans(b"abcdefABCDEF\\x", b"ABCDEFabcdef\x01\x02")
_AFTER = bytes.maketrans(b"ABCDEFabcdef\x01\x02\\", b"abcdefABCDEF\\x=")

# Where an output line may be cut: not within =XX, nor between the bytes of a UTF-8 sequence, which
# is a byte of C0..FF and up to three of 80..BF.
_CUT = (
    rb"(?<!=)(?<!=.)(?:(?!=[89AB])"
    rb"|(?<!=[C-F].)(?<!=[C-F].=[89AB].)(?<!=[C-F].=[89AB].=[89AB].))"
)
# One output line: 76 characters with the end of the input line, or 75 and "=". What must not open
# a line takes two characters more than are here yet.
_output_lines = re.compile(
    rb"(?!\.|From(?: |=20))(?:.{0,76}+(?:\n|\Z)|.{63,75}%b)|.{0,74}+(?:\n|\Z)|.{61,73}%b"
    % (_CUT, _CUT)
).findall
_first = itemgetter(slice(1))
_SOFT_BREAK = b"=\n"


def encode_quoted_printable(data: Buffer, /) -> bytes:
    """Encode text with any newlines into lines of at most 76 characters that end in CRLF.

    Lines are filled as far as they go and broken softly before what does not fit; the bytes of a
    UTF-8 sequence stay together. White space at the end of a line is encoded, and so are a dot and
    the F of "From " that open one: careless transports change those. No newline is added at the
    end.
    """
    text = as_bytes(data)
    # To look for one byte takes a sixtieth of looking for two.
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines = _output_lines(_escape_line_ends(_escape(text)))
    # The last piece is empty and behind what ends no line; soft breaks go everywhere first.
    text = _SOFT_BREAK.join(_guard(lines)).replace(b"\n=\n", b"\n").removesuffix(_SOFT_BREAK)
    return text.replace(b"\n", b"\r\n")


def _escape(text: bytes) -> bytes:
    """Write every byte as =XX that does not stand for itself."""
    text = text.replace(b"=", b"=3D")
    for control in set(text.translate(None, _PLAIN + _HIGH + b"=")):
        text = text.replace(b"%c" % control, b"=%02X" % control)
    if text.isascii():
        return text
    moved = text.translate(_BEFORE).decode("latin-1")
    return moved.encode("ascii", "backslashreplace").translate(_AFTER, b"x")


def _escape_line_ends(text: bytes) -> bytes:
    """Write a space or tab that ends a line as =XX."""
    for byte in b" \t":
        if byte not in text:
            continue
        blank, escaped = b"%c" % byte, b"=%02X" % byte
        # One pass; to replace takes two.
        text = (escaped + b"\n").join(text.split(blank + b"\n"))
        if text.endswith(blank):
            text = text[:-1] + escaped
    return text


def _guard(lines: list[bytes]) -> list[bytes]:
    """Write what must not open an output line as =XX."""
    firsts = set(map(_first, lines))
    if b"." not in firsts and b"F" not in firsts:
        return lines
    return [
        b"=2E" + line[1:] if line[:1] == b"."
        else b"=46" + line[1:] if line.startswith((b"From ", b"From=20"))
        else line
        for line in lines
    ]  # fmt: skip
