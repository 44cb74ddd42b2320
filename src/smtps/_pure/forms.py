"""Messages of texts with fields: cut once, put together for each row as rows come.

A form is for what nearly all rows are. Of a row that it leaves alone nothing is said: the caller
composes it the long way, which gives the same bytes for those that the form takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple, TypeAlias

from ..envelope import Envelope
from .addresses import plain_addresses, plain_mailbox
from .fields import address_field, text_field
from .texts import encode_text, text_message

__all__ = ["Filled", "Form", "take_values"]

#: What does not change, and the places in a row's values of what stands between.
Cut: TypeAlias = tuple[tuple[str, ...], tuple[int, ...]]

#: A form has no more fields, and no more texts.
MOST_FIELDS = 64
MOST_TEXTS = 2


class _Mailbox(NamedTuple):
    local: str
    domain: str
    name: str


class Filled:
    """A message of a form: its content can be had again, and is not held by the compiled twin."""

    __slots__ = ("_whole", "boundary", "date", "eight_bit", "envelope", "message_id")

    #: What the message cannot change any more.
    boundary: str
    date: str
    message_id: str
    envelope: Envelope
    #: Whether it has bytes above 127.
    eight_bit: bool

    def __init__(
        self, whole: bytes, envelope: Envelope, boundary: str, date: str, message_id: str
    ) -> None:
        self._whole = whole
        self.envelope = envelope
        self.boundary = boundary
        self.date = date
        self.message_id = message_id
        self.eight_bit = not whole.isascii()

    def __len__(self) -> int:
        """How many bytes it has."""
        return len(self._whole)

    def whole(self) -> bytes:
        """Give the content: its newlines are CRLF, and its last line is ended."""
        return self._whole


class Form:
    """A message with fields for one recipient, which is nothing but texts.

    Args:
        sender: the address for the envelope.
        name: the recipient's name, if the message says it apart from the address.
        address: the recipient's address.
        subject: the subject, if there is one.
        before: the header lines before To; `behind` those between To and the subject.
        texts: "plain" or "html", and the text of each, the one that says most last; with LF or CRLF
            newlines. Values are put into HTML escaped.
    """

    def __init__(
        self,
        sender: str,
        name: Cut | None,
        address: Cut,
        subject: Cut | None,
        before: bytes,
        behind: bytes,
        texts: Sequence[tuple[str, Cut]],
    ) -> None:
        self._sender = sender
        self._name = name
        self._address = address
        self._subject = subject
        self._before = before
        self._behind = behind
        self._texts = list(texts)
        pieces = [piece for _, cut in self._texts for piece in cut[0]]
        cuts = [name, address, subject, *(cut for _, cut in self._texts)]
        places = [place for cut in cuts if cut is not None for place in cut[1]]
        # A CR at an edge may be half of a line end.
        has_halves = any(piece.endswith("\r") for piece in pieces)
        self._is_odd = (
            has_halves
            or max(places, default=0) >= MOST_FIELDS
            or not 1 <= len(self._texts) <= MOST_TEXTS
        )

    def fill(
        self,
        values: tuple[str, ...],
        boundary: str,
        date: str,
        message_id: str,
        headers: bytes,
        eight_bit: bool,
    ) -> Filled | None:
        """Put the values of a row in.

        Args:
            boundary: what no text holds.
            headers: the lines between Message-ID and MIME-Version.
            eight_bit: whether the server takes bytes above 127.

        Returns:
            None if the row is not a usual one: an address that is not a plain one, a control
            character where none may be, a text that needs an encoding.
        """
        if self._is_odd or any("\r" in value or "\0" in value for value in values):
            return None
        mailbox = self._mailbox(values)
        if mailbox is None:
            return None
        address = f"{mailbox.local}@{mailbox.domain}"
        recipients = plain_addresses(self._sender, (address,))
        to = address_field("To", (mailbox,))
        subject = self._subject_line(values)
        if recipients is None or to is None or subject is None:
            return None
        stamp = f"Date: {date}\r\nMessage-ID: {message_id}\r\n".encode("ascii")
        head = [self._before, to, self._behind, subject, stamp, headers, b"MIME-Version: 1.0\r\n"]
        texts = self._filled_texts(values, eight_bit)
        if texts is None:
            return None
        whole = text_message(head, boundary, list(texts), eight_bit)
        if not whole.endswith(b"\r\n"):
            whole += b"\r\n"
        envelope = Envelope.of_plain(self._sender, recipients)
        return Filled(whole, envelope, boundary, date, message_id)

    def _mailbox(self, values: tuple[str, ...]) -> _Mailbox | None:
        found = plain_mailbox(_put(self._address, values))
        if found is None:
            return None
        name = found[2] if self._name is None else _put(self._name, values).strip()
        return _Mailbox(found[0], found[1], name) if _is_clean(name) else None

    def _subject_line(self, values: tuple[str, ...]) -> bytes | None:
        subject = "" if self._subject is None else _put(self._subject, values)
        if not subject:
            return b""
        return text_field("Subject", subject) if _is_clean(subject) else None

    def _filled_texts(
        self, values: tuple[str, ...], eight_bit: bool
    ) -> list[tuple[str, bytes]] | None:
        texts = []
        for subtype, cut in self._texts:
            text = _put(cut, [*map(escape, values)] if subtype == "html" else values)
            encoding, _, data = encode_text(text, eight_bit)
            if encoding not in ("7bit", "8bit") or not data:
                return None
            texts.append((subtype, data))
        return texts


def take_values(row: Mapping[str, Any], names: tuple[str, ...], /) -> tuple[str, ...] | None:
    """Take the values of these fields out of a row.

    Returns:
        None if one is missing or is not text that UTF-8 can hold: then the caller takes a closer
        look.
    """
    if type(row) is not dict or len(names) > MOST_FIELDS:
        return None
    values: list[Any] = [row.get(name) for name in names]
    return tuple(values) if all(map(_is_text, values)) else None


def _put(cut: Cut, values: Sequence[str]) -> str:
    pieces, places = cut
    filled = [pieces[0]]
    for place, piece in zip(places, pieces[1:], strict=True):
        filled += (values[place], piece)
    return "".join(filled)


def _is_clean(text: str) -> bool:
    """Tell whether a text can stand in a header: there is no control character of ASCII in it."""
    return text.isprintable() or not any(one < " " or one == "\x7f" for one in text)


def _is_text(value: object) -> bool:
    if type(value) is not str:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
