"""Memory that large content is put into a chunk at a time, and that is used again for the next."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Tray", "put_all"]


class Tray:
    """A chunk of content that is being filled.

    Args:
        size: how many bytes it has at most.
        margin: how many bytes there is room for before it.
    """

    __slots__ = ("_margin", "_memory", "filled", "size")

    #: How much of the chunk is there.
    filled: int

    def __init__(self, size: int, margin: int = 0) -> None:
        self.size = size
        self.filled = 0
        self._margin = margin
        self._memory = memoryview(bytearray(margin + size))

    @property
    def room(self) -> int:
        """How many bytes can still be put in."""
        return self.size - self.filled

    @property
    def rest(self) -> memoryview:
        """The part that is not filled; who writes to it adds to `filled`."""
        return self._memory[self._margin + self.filled :]

    def put(self, data: memoryview) -> None:
        """Put in what there must be room for."""
        self.rest[: len(data)] = data
        self.filled += len(data)

    def take(self, heading: bytes) -> memoryview:
        """Take the chunk out, with these bytes before it; what is put in next writes over it."""
        start, end = self._margin - len(heading), self._margin + self.filled
        self._memory[start : self._margin] = heading
        self.filled = 0
        return self._memory[start:end]


def put_all(data: bytes, tray: Tray) -> Iterator[None]:
    """Put bytes into a tray; each step is one in which it is full and has to be taken."""
    rest = memoryview(data)
    while len(rest) > (room := tray.room):
        tray.put(rest[:room])
        yield
        rest = rest[room:]
    tray.put(rest)
