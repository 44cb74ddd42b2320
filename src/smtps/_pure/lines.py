"""Lines of the server, found in whatever pieces the network brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..amounts import check_count
from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["LineBuffer"]


class LineBuffer:
    """Collect bytes into lines, and never hold more than one line's limit.

    A line ends at LF; one CR before it belongs to the end. A line longer than the limit is handed
    over cut, and the rest of it is dropped, so that its tail is never taken for a line of its own.

    Args:
        max_line_length: the most bytes of a line, without its end; at least 1.

    Raises:
        BadValue: the limit is less than 1.
    """

    def __init__(self, max_line_length: int = 2048) -> None:
        self._limit = check_count("max_line_length", max_line_length)
        self._held = b""
        self._dropping = False

    def feed(self, data: Buffer, /) -> list[bytes]:
        """Take bytes; give the lines that are complete or too long, without their ends."""
        lines = as_bytes(data).split(b"\n")
        limit = self._limit
        if self._dropping:
            if len(lines) == 1:
                return []
            del lines[0]
            self._dropping = False
        else:
            lines[0] = self._held + lines[0]
        held = lines.pop()
        found = [line.removesuffix(b"\r")[:limit] for line in lines]
        # One more byte may be the CR of the line's end.
        if len(held) > limit + 1 or (len(held) == limit + 1 and held[-1:] != b"\r"):
            found.append(held[:limit])
            self._dropping = True
            held = b""
        self._held = held
        return found
