"""What the functions of the codec must give, by other means: `base64`, `re` and `quopri`."""

from __future__ import annotations

import base64
import quopri
import re

__all__ = [
    "check_quoted_printable",
    "lines_of",
    "normalized",
    "base64_lines",
    "stuffed",
    "surveyed",
]

_NEWLINE = re.compile(rb"\r\n|\r|\n")


def base64_lines(data: bytes) -> bytes:
    """Encode in lines of 76 characters and CRLF."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def normalized(data: bytes) -> bytes:
    """Make every newline a CRLF."""
    return _NEWLINE.sub(b"\r\n", data)


def stuffed(data: bytes) -> bytes:
    """Prepare a body for DATA."""
    text = re.sub(rb"(?m)^\.", b"..", normalized(data))
    return text + (b".\r\n" if not text or text.endswith(b"\n") else b"\r\n.\r\n")


def surveyed(data: bytes) -> tuple[int, ...]:
    """Count what the survey counts, in its order."""
    return (
        max(map(len, _NEWLINE.split(data))),
        sum(byte > 127 for byte in data),
        data.count(0),
        len(re.findall(rb"\r(?!\n)", data)),
        len(re.findall(rb"(?<!\r)\n", data)),
        data.count(b"\r\n"),
        sum(line.startswith(b".") for line in _NEWLINE.split(data)),
    )


def check_quoted_printable(encoded: bytes, data: bytes) -> None:
    """Make sure that an encoding keeps the rules of RFC 2045 and decodes to the text."""
    assert quopri.decodestring(encoded) == normalized(data)
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert not re.search(rb"[^\t -~]", line)


def lines_of(data: bytes, limit: int) -> list[bytes]:
    """Split what LineBuffer splits, where the data ends in an LF."""
    return [line.removesuffix(b"\r")[:limit] for line in data.split(b"\n")[:-1]]
