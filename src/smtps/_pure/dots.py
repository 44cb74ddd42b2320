"""Newlines made CRLF, and dots doubled, so that a body cannot end DATA early. RFC 5321, 4.5.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .buffers import as_bytes, check_room, fill

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "DotStuffer",
    "dot_stuff",
    "dot_stuff_into",
    "normalize_newlines",
    "normalize_newlines_into",
]


def normalize_newlines(data: Buffer, /) -> bytes:
    """Make every CR, LF and CRLF a CRLF; what BDAT needs. RFC 5321, section 2.3.8."""
    text = as_bytes(data)
    # Passes of memchr and memcpy are ten times as fast as one regular expression.
    if b"\r" in text:
        if text.count(b"\r") == text.count(b"\r\n") == text.count(b"\n"):
            return text
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.replace(b"\n", b"\r\n")


def normalize_newlines_into(data: Buffer, buffer: Buffer, /) -> int:
    """Like `normalize_newlines`, into a buffer of the caller; give the number of bytes written.

    Args:
        buffer: anything that can be written to and holds the worst case: twice the data.

    Raises:
        BufferError: the buffer is read-only.
        ValueError: it is too small; nothing was written.
    """
    text = as_bytes(data)
    check_room(buffer, 2 * len(text))
    return fill(buffer, normalize_newlines(text))


def dot_stuff(data: Buffer, /) -> bytes:
    """Prepare a whole body for DATA: CRLF newlines, dots doubled, CRLF . CRLF at the end."""
    stuffer = DotStuffer()
    return stuffer.update(data) + stuffer.finish()


def dot_stuff_into(data: Buffer, buffer: Buffer, /) -> int:
    """Like `dot_stuff`, into a buffer of the caller; give the number of bytes written.

    Args:
        buffer: anything that can be written to and holds the worst case: twice the data and 5.

    Raises:
        BufferError: the buffer is read-only.
        ValueError: it is too small; nothing was written.
    """
    text = as_bytes(data)
    check_room(buffer, 2 * len(text) + 5)
    return fill(buffer, dot_stuff(text))


class DotStuffer:
    """Prepare a body for DATA chunk by chunk, cut anywhere."""

    def __init__(self) -> None:
        self._at_line_start = True
        self._after_cr = False

    def update(self, chunk: Buffer, /) -> bytes:
        """Give the chunk with CRLF newlines and every dot that opens a line doubled."""
        data = as_bytes(chunk)
        if not data:
            return b""
        # A CR at the end of a chunk went out as CRLF; its LF, if it had one, is no second newline.
        lf_is_done = self._after_cr and data[:1] == b"\n"
        self._after_cr = data[-1:] == b"\r"
        if lf_is_done:
            data = data[1:]
            if not data:
                return b""
        text = normalize_newlines(data).replace(b"\n.", b"\n..")
        if self._at_line_start and text[:1] == b".":
            text = b"." + text
        self._at_line_start = text[-1:] == b"\n"
        return text

    def update_into(self, chunk: Buffer, buffer: Buffer, /) -> int:
        """Like `update`, into a buffer of the caller; give the number of bytes written.

        Raises:
            BufferError: the buffer is read-only.
            ValueError: it is smaller than twice the chunk; nothing was taken.
        """
        data = as_bytes(chunk)
        check_room(buffer, 2 * len(data))
        return fill(buffer, self.update(data))

    def finish(self) -> bytes:
        """Give the end of the body; the stuffer is as new afterwards."""
        end = b".\r\n" if self._at_line_start else b"\r\n.\r\n"
        self._at_line_start, self._after_cr = True, False
        return end
