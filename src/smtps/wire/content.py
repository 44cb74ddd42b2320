"""Content: a finished message from any source, as a size that may be known and as chunks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import SEEK_END
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from ..codec import survey
from ..errors import BadValue
from ..letter import nul_in
from ..newlines import normalized
from ..octets import octets_of, octets_read
from ..tray import Tray, put_all

__all__ = ["CHUNK_SIZE", "Composition", "Content", "Section", "Source"]

#: How much of the content is worked on at a time.
CHUNK_SIZE = 65536


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Closable(Protocol):
    def close(self) -> None: ...


Source: TypeAlias = (
    bytes | bytearray | memoryview | str | os.PathLike[str] | _Readable | Iterable[bytes]
)


class Section(NamedTuple):
    """A part of the content whose progress is told on its own."""

    #: Its bytes as they were given, if that is known before they are read.
    size: int | None
    chunks: Iterator[bytes | memoryview]
    #: Whether its progress is told at all; that of headers is not.
    told: bool = True


class Content:
    """A finished RFC 5322 message, whole in memory or read as it goes.

    Args:
        source: bytes-like, the path of a file, a binary file read from where it stands, or an
            iterable of byte chunks. A file that this class opens is closed after the last chunk.

    Raises:
        BadValue: it is none of these, or text instead of bytes, or bytes with a NUL among them.
        OSError: the file cannot be opened.
    """

    __slots__ = ("_begun", "_source", "eight_bit", "size", "whole")

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
        whole = _in_memory(source)
        if whole is not None:
            self.whole = whole
            found = survey(self.whole)
            if found.nul:
                raise nul_in(self.whole)
            self.eight_bit = found.eight_bit > 0
            # RFC 1870 6.1 counts the octets with CRLF line ends, before dot-stuffing.
            self.size = len(self.whole) + found.bare_cr + found.bare_lf
        elif isinstance(source, os.PathLike):
            # A regular file with LF line ends is larger on the wire; its size is an estimate.
            status = os.stat(source)
            self.size = status.st_size if S_ISREG(status.st_mode) else None
            source = Path(source)
        elif isinstance(source, _Readable):
            # With LF line ends it is larger on the wire, as a file by its path is.
            self.size = _left(source)
        elif not isinstance(source, Iterable):
            raise BadValue(
                "content", f"expected bytes, a path, a file or chunks, not {type(source).__name__}"
            )
        self._source = source
        #: Whether some of it was read.
        self._begun = False

    @property
    def binary(self) -> bool:
        """Whether it holds bytes that only BDAT carries, and only to a server with BINARYMIME."""
        return False

    @property
    def can_repeat(self) -> bool:
        """Whether it can be read from its start, be it again or for the first time."""
        return self.whole is not None or isinstance(self._source, Path) or not self._begun

    def load(self, limit: int) -> bytes | None:
        """Give the whole content if it is in memory, or in a file, and not larger than `limit`.

        Raises:
            BadValue: the file has another size than it had.
            OSError: the file cannot be read.
        """
        whole, source = self.whole, self._source
        is_small = self.size is not None and self.size <= limit
        if whole is None and isinstance(source, Path) and is_small and source.is_file():
            whole = source.read_bytes()
            if len(whole) != self.size:
                raise _changed(self.size or 0)
        return whole if whole is not None and len(whole) <= limit else None

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece, once.

        Raises:
            BadValue: the source gave text, or a NUL, or is a file that has another size than it
                had. What was sent of the message so far is then no message.
            OSError: it cannot be read.
        """
        source = self._source
        self._begun = True
        if self.whole is not None:
            view = memoryview(self.whole)
            for start in range(0, len(view), CHUNK_SIZE):
                yield view[start : start + CHUNK_SIZE]
        elif isinstance(source, Path):
            with source.open("rb") as file:
                yield from _read(file, self.size)
        elif isinstance(source, _Readable):
            yield from _read(source, self.size)
        elif isinstance(source, Iterable):
            for chunk in source:
                octets = octets_of(chunk)
                if octets is None:
                    raise BadValue(
                        "content", f"expected chunks of bytes, not {type(chunk).__name__}"
                    )
                yield _without_nul(octets)

    def pour(self, tray: Tray) -> Iterator[None]:
        """Put the content into a tray, once, with CRLF newlines and its last line ended.

        Each step is one in which the tray is full and has to be taken; what is left in it at the
        end is the last chunk, which can be empty.

        Raises:
            BadValue, OSError: as `chunks`.
        """
        for piece in normalized(self.chunks(), ended=True):
            yield from put_all(piece, tray)

    def sections(self) -> Iterator[Section]:
        """Give the content as the parts whose progress is told, once, in order."""
        yield Section(self.size, self.chunks())

    def close(self) -> None:
        """Let go of what was opened for this content."""


class Composition(Content):
    """A message of several parts that follow one another without anything between.

    Args:
        headers: the header block with the blank line that ends it.
        text: the body in memory, behind the headers.
        streams: what is sent behind the text, as far as it is not in memory.
        owned: streams that are closed by `close`.
    """

    __slots__ = ("_headers", "_owned", "_streams", "_text")

    def __init__(
        self,
        headers: bytes,
        text: bytes,
        streams: Iterable[Content] = (),
        owned: Iterable[_Closable] = (),
    ) -> None:
        super().__init__(headers + text)
        self._headers = headers
        self._text = text
        self._streams = list(streams)
        self._owned = list(owned)
        if self._streams:
            self.whole = None
            sizes = [self.size, *(stream.size for stream in self._streams)]
            known = [size for size in sizes if size is not None]
            self.size = sum(known) if len(known) == len(sizes) else None
            # What is not read yet may hold any byte.
            self.eight_bit = self.eight_bit or None

    @property
    def can_repeat(self) -> bool:
        """Whether it can be read again."""
        return not self._streams

    def load(self, limit: int) -> bytes | None:
        """Give the whole content if it is in memory and not larger than `limit`."""
        return None if self._streams else super().load(limit)

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece, once."""
        if not self._streams:
            yield from super().chunks()
            return
        for section in self.sections():
            yield from section.chunks

    def sections(self) -> Iterator[Section]:
        """Give the headers, the text, and each stream."""
        yield Section(len(self._headers), iter([self._headers]), told=False)
        if self._text:
            view = memoryview(self._text)
            pieces = (view[at : at + CHUNK_SIZE] for at in range(0, len(view), CHUNK_SIZE))
            yield Section(len(self._text), pieces)
        for stream in self._streams:
            yield from stream.sections()

    def close(self) -> None:
        """Close the streams that were given for that."""
        for stream in self._owned:
            stream.close()


def _in_memory(source: object) -> bytes | None:
    """Give the bytes of a source that has them all at hand."""
    if isinstance(source, bytes):
        return source
    # A file that is mapped to memory is one to be read, of any size.
    return None if isinstance(source, _Readable) else octets_of(source)


def _left(file: _Readable) -> int | None:
    """Tell how many bytes a file still has, if it can tell."""
    try:
        here = file.tell()  # type: ignore[attr-defined]
        file.seek(0, SEEK_END)  # type: ignore[attr-defined]
        # Not what `seek` gives: that of a mapped file gives nothing.
        end: int = file.tell()  # type: ignore[attr-defined]
        file.seek(here)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    return end - here if end >= here else None


def _read(file: _Readable, size: int | None) -> Iterator[bytes]:
    """Read a file to its end, and make sure that it has as many bytes as it had."""
    seen = 0
    while chunk := octets_read("content", file.read(CHUNK_SIZE)):
        seen += len(chunk)
        # One that grows is not read to an end that it may not have.
        if size is not None and seen > size:
            raise _changed(size)
        yield _without_nul(chunk)
    if size is not None and seen < size:
        raise _changed(size)


def _changed(size: int) -> BadValue:
    return BadValue(
        "content",
        f"its size changed from {size} bytes while it was being sent; nothing was handed over",
    )


def _without_nul(chunk: bytes) -> bytes:
    if b"\0" in chunk:
        raise nul_in(chunk)
    return chunk
