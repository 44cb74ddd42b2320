"""Mail merge: one message for many readers, whose unchanging parts are encoded once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ..address import Address, parse_address
from ..envelope import Envelope
from ..errors import BadValue, SMTPSError
from .message import Message
from .parts import Piece, TextPart
from .template import Template, has_fields
from .transfer import Offer

__all__ = ["Mailing"]

# Most values hold nothing that HTML gives a meaning.
_is_special = re.compile("[&<>\"']").search


class Mailing:
    """A message with `{{ field }}` in its subject, text, HTML, headers or recipients.

    Values are put into HTML escaped, into addresses as a name or an address and never as more than
    one recipient, and into a URL percent-encoded.

    Args:
        message: the message; it is not changed, and later changes to it have no effect.

    Raises:
        BadValue: it has a shape that cannot be filled, such as one taken over as it was.
    """

    def __init__(self, message: Message) -> None:
        self._message = message.copy()
        self._subject = Template(message.subject) if has_fields(message.subject) else None
        self._text = None if message.text is None else Template(message.text)
        self._html = None if message.html is None else Template(message.html, _escape)
        self._to = _Person(message.to_template) if message.to_template else None

    def for_each(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
        """Give one message for each row, as the rows come.

        A row that cannot be filled gives a message that cannot be sent: its receipt says which row
        and which field, and the rest goes on.
        """
        for number, row in enumerate(rows):
            try:
                yield self._fill(row)
            except SMTPSError as error:
                yield _Unfilled(number, error)

    def _fill(self, row: Mapping[str, Any]) -> Message:
        filled = self._message.copy()
        if self._to is not None:
            filled.to = self._to.fill(row)
        if self._subject is not None:
            filled.subject = self._subject.fill(row)
        filled.fill(
            None if self._text is None else _Filled(self._text, row, "plain", "text"),
            None if self._html is None else _Filled(self._html, row, "html", "html"),
            lambda text, quote: Template(text, quote).fill(row),
        )
        return filled


class _Filled:
    """A text with the values of a row, which are put in when it is sent: rows wait by thousands."""

    __slots__ = ("_field", "_subtype", "_template", "_values")

    def __init__(
        self, template: Template, row: Mapping[str, Any], subtype: str, field: str
    ) -> None:
        self._template = template
        self._values = template.values_of(row)
        self._subtype = subtype
        self._field = field

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:
        """Add the text, encoded so far as it needs it."""
        text = self._template.join(self._values)
        TextPart(text, self._subtype, self._field).write(pieces, offer, boundary)


class _Person:
    """One mailbox with fields: an address, perhaps with a name before it."""

    def __init__(self, text: str) -> None:
        name, opening, rest = text.rpartition("<")
        if opening and rest.rstrip().endswith(">"):
            self._name: Template | None = Template(name.strip().strip('"'))
            self._address = Template(rest.rstrip()[:-1])
        else:
            self._name = None
            self._address = Template(text.strip())

    def fill(self, row: Mapping[str, Any]) -> Address:
        found = parse_address(self._address.fill(row), field="to")
        if self._name is None:
            return found
        return found.named(self._name.fill(row).strip())


def _escape(value: str) -> str:
    return escape(value) if _is_special(value) else value


class _Unfilled(Message):
    """The message of a row that could not be filled; to send it says why."""

    __slots__ = ("_reason",)

    def __init__(self, number: int, error: SMTPSError) -> None:
        super().__init__()
        self._reason = BadValue(f"row {number}", str(error))
        self._reason.__cause__ = error

    @property
    def envelope(self) -> Envelope:
        """Say what is wrong with the row."""
        raise self._reason
