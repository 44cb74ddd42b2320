"""What is attached: bytes in memory, a file by its path, or an open file; read when it is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ..errors import BadValue

__all__ = ["Blob", "BlobSource", "PIECE"]

#: What can be attached.
BlobSource: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO

#: How much is read at a time: whole base64 lines, and small enough that memory is used again.
PIECE = 57 * 1536


class Blob:
    """A piece of content that need not be in memory.

    Args:
        source: bytes, the path of a file, or a binary file, which is read from where it stands.
        field: what the caller calls it; errors name it.

    Raises:
        BadValue: it is none of these, gives text, or cannot be read.
    """

    __slots__ = ("_data", "_field", "_file", "_path", "_start", "_used", "name", "size")

    #: The name of the file, or "".
    name: str
    #: How many bytes it has; None for a file that cannot tell.
    size: int | None

    def __init__(self, source: BlobSource, *, field: str) -> None:
        self._field = field
        self._data: bytes | None = None
        self._path: Path | None = None
        self._file: BinaryIO | None = None
        self._used = False
        self._start: int | None = None
        self.name = ""
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._data = bytes(source)
            self.size = len(self._data)
        elif isinstance(source, (str, os.PathLike)):
            self._path = Path(source)
            self.name = self._path.name
            self.size = self._stat()
        elif hasattr(source, "read") and not hasattr(source, "encoding"):
            self._file = source
            self.name = _name_of(source)
            self._start, self.size = _extent(source)
        else:
            raise BadValue(field, "expected bytes, a path, or a file opened with mode 'rb'")

    @property
    def data(self) -> bytes | None:
        """The bytes, if they are in memory."""
        return self._data

    def measure(self) -> None:
        """Look at the size anew; from now on the file must keep it until it was read.

        Raises:
            BadValue: it cannot be read.
        """
        if self._path is not None:
            self.size = self._stat()

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes in pieces that are multiples of 57, but for the last.

        Raises:
            BadValue: the file is gone, has another size than it had, or was read already and cannot
                be read again. What was sent of the message so far is then no message.
        """
        if self._data is not None:
            for start in range(0, len(self._data), PIECE):
                yield self._data[start : start + PIECE]
        elif self._path is not None:
            try:
                with self._path.open("rb", buffering=0) as file:
                    yield from self._read(file)
            except OSError as error:
                raise self._unreadable(error) from error
        else:
            assert self._file is not None
            self._rewind(self._file)
            yield from self._read(self._file)

    def _read(self, file: object) -> Iterator[bytes]:
        read = file.read  # type: ignore[attr-defined]
        seen = 0
        rest = b""
        while data := read(PIECE - len(rest)):
            if not isinstance(data, bytes):
                raise BadValue(self._field, "the file gives text; open it with mode 'rb'")
            seen += len(data)
            rest += data
            # Pipes give less than was asked for; lines are cut from whole groups only.
            if len(rest) == PIECE:
                yield rest
                rest = b""
            if self.size is not None and seen > self.size:
                break
        if self.size is not None and seen != self.size:
            raise BadValue(
                self._field,
                f"its size changed from {self.size} bytes while it was being sent; nothing was"
                " handed over",
            )
        if rest:
            yield rest

    def _rewind(self, file: BinaryIO) -> None:
        if self._start is not None:
            file.seek(self._start)
        elif self._used:
            raise BadValue(
                self._field, "this file can be read once only, and was; attach its bytes or a path"
            )
        self._used = True

    def _stat(self) -> int | None:
        assert self._path is not None
        try:
            status = self._path.stat()
        except OSError as error:
            raise self._unreadable(error) from error
        if self._path.is_dir():
            raise BadValue(self._field, "is a folder; attach the files in it")
        return status.st_size if self._path.is_file() else None

    def _unreadable(self, error: OSError) -> BadValue:
        return BadValue(self._field, f"cannot be read: {error.strerror or error}", code=302)


def _name_of(file: object) -> str:
    name = getattr(file, "name", "")
    return os.path.basename(name) if isinstance(name, str) else ""


def _extent(file: BinaryIO) -> tuple[int | None, int | None]:
    """Tell where a file stands and how much is left, if it can be told."""
    try:
        start = file.tell()
        end = file.seek(0, SEEK_END)
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return None, None
    return start, max(end - start, 0)
