"""The newlines of content that comes in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .codec import normalize_newlines

__all__ = ["normalized"]


def normalized(pieces: Iterable[bytes | memoryview], *, ended: bool = False) -> Iterator[bytes]:
    """Make every newline CRLF, also one that is cut in two.

    Args:
        ended: whether the last line gets an end where it has none.
    """
    held = b""
    ends = True
    for piece in pieces:
        data = held + bytes(piece)
        # Whether this CR is a newline of its own, only the next piece tells.
        held = b"\r" if data.endswith(b"\r") else b""
        if given := normalize_newlines(data[:-1] if held else data):
            ends = given.endswith(b"\n")
            yield given
    if held or (ended and not ends):
        yield b"\r\n"
