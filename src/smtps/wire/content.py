"""Content: a finished message from any source, as a size that may be known and as chunks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from ..codec import survey
from ..errors import BadValue

__all__ = ["CHUNK_SIZE", "Content", "Source"]

#: How much of the content is worked on at a time.
CHUNK_SIZE = 65536


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


Source: TypeAlias = (
    bytes | bytearray | memoryview | str | os.PathLike[str] | _Readable | Iterable[bytes]
)


class Content:
    """A finished RFC 5322 message, whole in memory or read as it goes.

    Args:
        source: bytes-like, the path of a file, a binary file read from where it stands, or an
            iterable of byte chunks. A file that this class opens is closed after the last chunk.

    Raises:
        BadValue: it is none of these, or text instead of bytes.
        OSError: the file cannot be opened.
    """

    __slots__ = ("_source", "eight_bit", "size", "whole")

    #: The message, if it is in memory.
    whole: bytes | None
    #: Its size on the wire without dot-stuffing, if it is known before it is read.
    size: int | None
    #: Whether it has bytes above 127; None if that is not known before it is read.
    eight_bit: bool | None

    def __init__(self, source: Source) -> None:
        self.whole = self.size = self.eight_bit = None
        if isinstance(source, str):
            if "\n" in source or "\r" in source:
                raise BadValue("content", "text where bytes or a path are expected; encode it")
            source = Path(source)
        if isinstance(source, (bytes, bytearray, memoryview)):
            self.whole = bytes(source)
            found = survey(self.whole)
            self.eight_bit = found.eight_bit > 0
            # RFC 1870 6.1 counts the octets with CRLF line ends, before dot-stuffing.
            self.size = len(self.whole) + found.bare_cr + found.bare_lf
        elif isinstance(source, os.PathLike):
            # A regular file with LF line ends is larger on the wire; its size is an estimate.
            self.size = os.stat(source).st_size
            source = Path(source)
        elif not isinstance(source, (_Readable, Iterable)):
            raise BadValue(
                "content", f"expected bytes, a path, a file or chunks, not {type(source).__name__}"
            )
        self._source = source

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece, once."""
        source = self._source
        if self.whole is not None:
            view = memoryview(self.whole)
            for start in range(0, len(view), CHUNK_SIZE):
                yield view[start : start + CHUNK_SIZE]
        elif isinstance(source, Path):
            with source.open("rb") as file:
                yield from _read(file)
        elif isinstance(source, _Readable):
            yield from _read(source)
        else:
            for chunk in source:
                if not isinstance(chunk, (bytes, bytearray, memoryview)):
                    raise BadValue(
                        "content", f"expected chunks of bytes, not {type(chunk).__name__}"
                    )
                yield bytes(chunk)


def _read(file: _Readable) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_SIZE):
        if isinstance(chunk, str):
            raise BadValue("content", 'the file gives text; open it with mode "rb"')
        yield chunk
