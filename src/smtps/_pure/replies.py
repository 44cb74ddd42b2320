"""Replies of the server, parsed from whatever pieces the network brings. RFC 5321, section 4.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..amounts import check_count
from ..errors import ProtocolError
from ..reply import Reply
from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ReplyParser"]

# What one reply may hold in all: beyond it the server is attacking our memory, not answering.
MOST_BYTES = 256 * 1024
MOST_LINES = 1000
#: The least that `max_line_length` can be: a code and the byte behind it.
PREFIX = 4

#: What opens the last line of a reply, and the code it stands for. Taking digits from a table
#: means that no others are taken, as `int` would: int("2_50") is 250.
_LAST_LINES = {f"{code} ": code for code in range(200, 600)}
_LAST_LINES |= {f"{code}": code for code in range(200, 600)}
_CONTINUED = {f"{code}-": code for code in range(200, 600)}

_is_status = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}").fullmatch
#: The length of the longest enhanced status.
_LONGEST_STATUS = 9
#: So many characters of a line, of which the last may be the CR of its end, tell all but its text.
_OPENING = PREFIX + _LONGEST_STATUS + 2
_MOST_OPENINGS = 64
_new_tuple = tuple.__new__


class ReplyParser:
    """Turn bytes into replies, and refuse what is none.

    Where good replies are followed by something malformed, they are given first, and the error is
    raised by the next call: a reply that was received counts. After an error every call raises it.

    Args:
        max_line_length: the most bytes kept of a line; the rest of a longer one is dropped.

    Raises:
        BadValue: the limit is less than 4, which no reply fits.
    """

    def __init__(self, max_line_length: int = 2048) -> None:
        self._limit = check_count("max_line_length", max_line_length, least=PREFIX)
        # The start of a line whose end is not here yet.
        self._held = ""
        # A reply that goes on: its code and its lines.
        self._code = 0
        self._texts: list[str] = []
        # The bytes of the reply so far.
        self._size = 0
        self._failure = ""
        # The code and enhanced status of replies, by what their lines began with.
        self._openings: dict[str, tuple[int, str | None]] = {}

    @property
    def pending(self) -> bool:
        """Whether part of a reply, or an error that was not raised yet, is held."""
        return self._size > 0 or bool(self._failure)

    def feed(self, data: Buffer, /) -> list[Reply]:
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
        # One character for each byte: text is cheaper to take apart than bytes, once it is text.
        lines = data.decode("latin-1").split("\n")
        rest = lines.pop()
        openings, limit, is_ascii = self._openings, self._limit, data.isascii()
        for line in lines:
            # Most replies have one line and come whole.
            if self._size == 0 and len(line) <= limit:
                known = openings.get(line[:_OPENING]) or self._open(line)
                if known:
                    code, enhanced = known
                    text = line[PREFIX:-1] if line[-1:] == "\r" else line[PREFIX:]
                    text = text if is_ascii else _words(text)
                    # The constructor of a named tuple takes twice as long.
                    found.append(_new_tuple(Reply, (code, enhanced, (text,))))
                    continue
            self._size += len(line) + 1
            if self._size > MOST_BYTES:
                break
            whole, self._held = self._held + line, ""
            self._take_line(whole.removesuffix("\r")[: self._limit], found)
            if self._failure:
                return
        else:
            self._size += len(rest)
            # A longer line is cut in any case; two bytes more tell where.
            self._held = (self._held + rest)[: self._limit + 2]
        if self._size > MOST_BYTES:
            self._failure = too_large()

    def _open(self, line: str) -> tuple[int, str | None] | None:
        """Give the code and enhanced status of a line that is a reply, and remember its opening."""
        code = _LAST_LINES.get(line[:PREFIX])
        if code is None:
            return None
        if len(self._openings) == _MOST_OPENINGS:
            self._openings.clear()
        found = code, _enhanced_status(code, line[PREFIX:].removesuffix("\r"))
        self._openings[line[:_OPENING]] = found
        return found

    def _take_line(self, line: str, found: list[Reply]) -> None:
        """Add one line to the reply, and the reply to `found` if the line ends it."""
        opening = line[:PREFIX]
        code = _LAST_LINES.get(opening) or _CONTINUED.get(opening)
        if code is None:
            self._failure = not_a_reply(line.encode("latin-1"))
            return
        if self._texts and code != self._code:
            self._failure = changed_code(self._code, line.encode("latin-1"))
            return
        self._code = code
        self._texts.append(_words(line[PREFIX:]))
        if opening in _LAST_LINES:
            found.append(_make_reply(code, tuple(self._texts)))
            self._texts, self._size = [], 0
        elif len(self._texts) >= MOST_LINES:
            self._failure = too_many_lines()


def _words(text: str) -> str:
    """Read one character for each byte as UTF-8."""
    if text.isascii():
        return text
    return text.encode("latin-1").decode("utf-8", "backslashreplace")


def _make_reply(code: int, texts: tuple[str, ...]) -> Reply:
    return _new_tuple(Reply, (code, _enhanced_status(code, texts[0]), texts))


def _enhanced_status(code: int, text: str) -> str | None:
    """Give the enhanced status that opens a text, if it has the class of the code. RFC 2034."""
    status = text[: _LONGEST_STATUS + 1].partition(" ")[0]
    return status if _is_status(status) and int(status[0]) == code // 100 else None


# --- what a server did wrong, in the same words from both implementations -------------------------


def not_a_reply(line: bytes) -> str:
    """Say that a line has no reply code."""
    return f"not a reply: {_show(line)}"


def changed_code(code: int, line: bytes) -> str:
    """Say that a line has another code than those before it."""
    return f"a reply that began with {code} goes on: {_show(line)}"


def too_large() -> str:
    """Say that a reply does not end."""
    return f"a reply of more than {MOST_BYTES} bytes"


def too_many_lines() -> str:
    """Say that a reply has line after line."""
    return f"a reply of more than {MOST_LINES} lines"


def _show(line: bytes) -> str:
    """Show what a server sent, with anything but printable ASCII escaped, cut to 80 bytes."""
    return ascii(line[:80])[2:-1] + ("..." if len(line) > 80 else "")
