"""Replies of the server, parsed from whatever pieces the network brings. RFC 5321, section 4.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import ProtocolError
from ..reply import Reply
from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ReplyParser"]

# What one reply may hold in all: beyond it the server is attacking our memory, not answering.
_MOST_BYTES = 256 * 1024
_MOST_LINES = 1000

_line_is_reply = re.compile(rb"[2-5][0-9][0-9](?:[ -]|\Z)").match
_enhanced_status = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)").match


class ReplyParser:
    """Turn bytes into replies, and refuse what is none.

    Where good replies are followed by something malformed, they are given first, and the error is
    raised by the next call: a reply that was received counts. After an error every call raises it.

    Args:
        max_line_length: the most bytes kept of a line; the rest of a longer one is dropped.

    Raises:
        ValueError: the limit is less than 4, which no reply fits.
    """

    def __init__(self, max_line_length: int = 2048) -> None:
        if max_line_length < 4:
            raise ValueError("max_line_length must be at least 4")
        self._limit = max_line_length
        self._held = b""
        self._code = b""
        self._texts: list[str] = []
        self._size = 0
        self._failure = ""

    @property
    def pending(self) -> bool:
        """Whether part of a reply, or an error that was not raised yet, is held."""
        return self._size > 0 or bool(self._failure)

    def feed(self, data: Buffer) -> list[Reply]:
        """Take bytes and give the replies that are complete.

        Raises:
            ProtocolError: a line is no reply, a reply changes its code, or it has more than
                256 KiB or 1,000 lines.
        """
        found: list[Reply] = []
        if not self._failure:
            self._parse(as_bytes(data), found)
        if self._failure and not found:
            raise ProtocolError(self._failure)
        return found

    def _parse(self, data: bytes, found: list[Reply]) -> None:
        lines = data.split(b"\n")
        rest = lines.pop()
        for line in lines:
            self._size += len(line) + 1
            if self._size > _MOST_BYTES:
                break
            whole, self._held = self._held + line, b""
            reply = self._take_line(whole.removesuffix(b"\r")[: self._limit])
            if self._failure:
                return
            if reply is not None:
                found.append(reply)
        else:
            self._size += len(rest)
            # A longer line is cut in any case; two bytes more tell where.
            self._held = (self._held + rest)[: self._limit + 2]
        if self._size > _MOST_BYTES:
            self._failure = f"a reply of more than {_MOST_BYTES} bytes"

    def _take_line(self, line: bytes) -> Reply | None:
        """Add one line to the reply, and give the reply if the line ends it."""
        if not _line_is_reply(line):
            self._failure = f"not a reply: {show(line)}"
            return None
        code = line[:3]
        if self._texts and code != self._code:
            self._failure = f"a reply that began with {self._code.decode()} goes on: {show(line)}"
            return None
        self._code = code
        self._texts.append(line[4:].decode("utf-8", "backslashreplace"))
        if line[3:4] == b"-":
            if len(self._texts) >= _MOST_LINES:
                self._failure = f"a reply of more than {_MOST_LINES} lines"
            return None
        texts, self._texts, self._size = tuple(self._texts), [], 0
        match = _enhanced_status(texts[0])
        enhanced = match[1] if match and texts[0][0] == chr(code[0]) else None
        return Reply(int(code), enhanced, texts)


def show(line: bytes) -> str:
    """Show what a server sent, with anything but printable ASCII escaped, cut to 80 bytes."""
    return ascii(line[:80])[2:-1] + ("..." if len(line) > 80 else "")
