"""What is attached: bytes in memory, a file by its path, or an open file; read when it is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import SEEK_END, FileIO
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from ..errors import BadValue
from ..octets import octets_of, octets_read

__all__ = ["Blob", "BlobSource", "Read"]

#: What can be attached.
BlobSource: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO

#: Gives the next bytes, as many as are asked for; fewer at the end alone.
Read: TypeAlias = Callable[[int], memoryview]


class Blob:
    """A piece of content that need not be in memory.

    Args:
        source: bytes-like, the path of a file, or a binary file, read from where it stands.
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
        if isinstance(source, (str, os.PathLike)):
            self._path = Path(source)
            self.name = self._path.name
            self.size = self._stat()
        elif hasattr(source, "read") and not hasattr(source, "encoding"):
            self._file = cast("BinaryIO", source)
            self.name = _name_of(source)
            self._start, self.size = _extent(self._file)
        elif (data := octets_of(source)) is not None:
            self._data = data
            self.size = len(data)
        else:
            raise BadValue(
                field,
                "expected bytes, a path, or a file opened with mode 'rb',"
                f" not {type(source).__name__}",
            )

    @property
    def data(self) -> bytes | None:
        """The bytes, if they are in memory."""
        return self._data

    @property
    def can_repeat(self) -> bool:
        """Whether it can be read from its start, be it again or for the first time."""
        return self._file is None or self._start is not None or not self._used

    def measure(self) -> None:
        """Look at the size anew; from now on the file must keep it until it was read.

        Raises:
            BadValue: it cannot be read.
        """
        if self._path is not None:
            self.size = self._stat()

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Open it, and give a function that reads on: so many bytes, fewer at the end alone.

        What that gives may be written over by the next call.

        Raises:
            BadValue: the file is gone, has another size than it had, or was read already and cannot
                be read again. What was sent of the message so far is then no message.
        """
        if self._data is not None:
            yield _slices(memoryview(self._data))
        elif self._path is not None:
            try:
                with self._path.open("rb", buffering=0) as file:
                    yield self._checked(_refills(file))
            except OSError as error:
                raise self._unreadable(error) from error
        else:
            assert self._file is not None
            self._rewind(self._file)
            yield self._checked(self._gathers(self._file))

    def _checked(self, read: Read) -> Read:
        """Make sure that there are as many bytes as there were."""
        seen = 0

        def checked(most: int) -> memoryview:
            nonlocal seen
            data = read(most)
            seen += len(data)
            size = self.size
            # A file that grows is not read to an end that it may not have.
            if size is not None and (seen > size or (len(data) < most and seen != size)):
                raise BadValue(
                    self._field,
                    f"its size changed from {size} bytes while it was being sent; nothing was"
                    " handed over",
                )
            return data

        return checked

    def _gathers(self, file: BinaryIO) -> Read:
        """Read by the file's own method, as a program may have given it another one."""

        def read(most: int) -> memoryview:
            pieces: list[bytes] = []
            # Pipes give less than was asked for.
            while most > 0 and (data := octets_read(self._field, file.read(most))):
                pieces.append(data)
                most -= len(data)
            return memoryview(b"".join(pieces))

        return read

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
        named = f": {str(self._path)!r}" if self._path is not None else ""
        reason = f"cannot be read: {error.strerror or error}{named}"
        return BadValue(self._field, reason, code=302)


def _slices(data: memoryview) -> Read:
    place = 0

    def read(most: int) -> memoryview:
        nonlocal place
        place += most
        return data[place - most : place]

    return read


def _refills(file: FileIO) -> Read:
    """Read into the same memory each time, which the processor then still holds."""
    buffer = memoryview(b"")

    def read(most: int) -> memoryview:
        nonlocal buffer
        if len(buffer) < most:
            buffer = memoryview(bytearray(most))
        filled = 0
        while filled < most and (count := file.readinto(buffer[filled:most])):
            filled += count
        return buffer[:filled]

    return read


def _name_of(file: object) -> str:
    name = getattr(file, "name", "")
    return os.path.basename(name) if isinstance(name, str) else ""


def _extent(file: BinaryIO) -> tuple[int | None, int | None]:
    """Tell where a file stands and how much is left, if it can be told."""
    try:
        start = file.tell()
        file.seek(0, SEEK_END)
        # Not what `seek` gives: that of a mapped file gives nothing.
        end = file.tell()
        file.seek(start)
    except (AttributeError, OSError, ValueError):
        return None, None
    return start, max(end - start, 0)
