"""A composed message: what is there already, and what is read while it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..codec import normalize_newlines
from ..tray import Tray, put_all
from .parts import Piece
from .transfer import Stream

__all__ = ["Rendering"]


class Rendering:
    """The pieces of a finished message in their order.

    Args:
        binary: whether it holds bytes that only BDAT carries.
    """

    __slots__ = ("_pieces", "binary")

    def __init__(self, pieces: Sequence[Piece], *, binary: bool = False) -> None:
        self.binary = False
        try:
            self._pieces: list[Piece] = [b"".join(pieces)]  # type: ignore[arg-type]
        except TypeError:
            self._pieces = _joined(pieces)
            self.binary = binary

    @property
    def size(self) -> int | None:
        """How many bytes it has, if that is known before files are read."""
        total = 0
        for piece in self._pieces:
            size = len(piece) if isinstance(piece, bytes) else piece.size
            if size is None:
                return None
            total += size
        return total

    @property
    def in_memory(self) -> bytes | None:
        """The message, if no part of it has to be read."""
        first = self._pieces[0]
        return first if isinstance(first, bytes) and len(self._pieces) == 1 else None

    @property
    def eight_bit(self) -> bool:
        """Whether what is in memory has bytes above 127; what is read comes in base64."""
        return not all(piece.isascii() for piece in self._pieces if isinstance(piece, bytes))

    @property
    def can_repeat(self) -> bool:
        """Whether what is read can be read again."""
        return all(isinstance(one, bytes) or one.blob.can_repeat for one in self._pieces)

    def whole(self) -> bytes:
        """Give the message, reading what has to be read."""
        in_memory = self.in_memory
        return b"".join(self.chunks()) if in_memory is None else in_memory

    def chunks(self) -> Iterator[bytes]:
        """Give the message piece by piece."""
        for piece in self._pieces:
            if isinstance(piece, Stream):
                yield from piece.pieces()
            elif piece:
                yield piece

    def pour(self, tray: Tray) -> Iterator[None]:
        """Put the message into a tray; each step is one in which it is full and has to be taken."""
        for piece in self._pieces:
            if isinstance(piece, Stream):
                yield from piece.pour(tray)
            else:
                # A finished part may have come with other newlines.
                yield from put_all(normalize_newlines(piece), tray)

    def put_on_top(self, headers: bytes) -> None:
        """Add header lines before all others."""
        first = self._pieces[0]
        assert isinstance(first, bytes)
        self._pieces[0] = headers + first

    def parted(self) -> tuple[bytes, Iterator[bytes | memoryview]]:
        """Give the header block, and the body behind the blank line."""
        first = self._pieces[0]
        assert isinstance(first, bytes)
        end = first.index(b"\r\n\r\n") + 2

        def body() -> Iterator[bytes | memoryview]:
            yield memoryview(first)[end + 2 :]
            for piece in self._pieces[1:]:
                if isinstance(piece, Stream):
                    yield from piece.pieces()
                else:
                    yield piece

        return first[:end], body()


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Join what is in memory between what is read."""
    joined: list[Piece] = []
    run: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            run.append(piece)
        else:
            joined += (b"".join(run), piece)
            run = []
    joined.append(b"".join(run))
    return joined
