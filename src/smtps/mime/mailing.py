"""Mail merge: one message for many readers, whose unchanging parts are encoded once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ..address import Address
from ..envelope import Envelope
from ..errors import BadValue, SMTPSError
from ..mailboxes import parse_address
from .message import Message
from .parts import Piece, TextPart
from .template import Template, has_fields, values_of
from .transfer import Offer, utf8

__all__ = ["Mailing"]

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
        self._html = None if message.html is None else Template(message.html)
        self._to = _Person(message.to_template) if message.to_template else None
        #: The texts of headers that are filled.
        self._more: dict[str, Template] = {}
        message.copy().fill(None, None, self._note)
        parts = (self._to, self._subject, self._text, self._html, *self._more.values())
        names = [name for part in parts if part is not None for name in part.names]
        self._names = tuple(dict.fromkeys(names))
        self._names_in_html = () if self._html is None else self._html.names

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
        values = values_of(row, self._names)
        encoded = {name: utf8(value, name) for name, value in values.items()}
        filled = self._message.copy()
        if self._to is not None:
            filled.address_to(self._to.fill(values))
        if self._subject is not None:
            filled.subject = self._subject.fill(values)
        text, html = self._text, self._html
        filled.fill(
            None if text is None else _Filled(text, encoded, "plain", "text"),
            None if html is None else _Filled(html, self._escaped(values, encoded), "html", "html"),
            lambda text, quote: self._more[text].fill(_quoted(values, quote)),
        )
        return filled

    def _note(self, text: str, quote: Callable[[str], str]) -> str:
        """Take note of the text of a header that each row fills."""
        template = self._more[text] = Template(text)
        return template.sample(quote("x"))

    def _escaped(self, values: Mapping[str, str], encoded: dict[str, bytes]) -> dict[str, bytes]:
        """Escape for HTML what has to be: most values hold nothing that it gives a meaning."""
        special = [name for name in self._names_in_html if _is_special(values[name])]
        if not special:
            return encoded
        return encoded | {name: escape(values[name]).encode() for name in special}


def _quoted(values: Mapping[str, str], quote: Callable[[str], str]) -> Mapping[str, str]:
    return {name: quote(value) for name, value in values.items()}


class _Filled:
    """A text whose values are put in when it is sent, since rows wait by the thousand."""

    __slots__ = ("_field", "_subtype", "_template", "_values")

    def __init__(
        self, template: Template, values: Mapping[str, bytes], subtype: str, field: str
    ) -> None:
        self._template = template
        self._values = values
        self._subtype = subtype
        self._field = field

    @property
    def text(self) -> bytes:
        """The text in UTF-8."""
        return self._template.fill_utf8(self._values)

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:
        """Add the text, encoded so far as it needs it."""
        TextPart(self.text, self._subtype, self._field).write(pieces, offer, boundary)


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
        found = self._name.names if self._name is not None else ()
        self.names = (*self._address.names, *found)

    def fill(self, values: Mapping[str, str]) -> Address:
        found = parse_address(self._address.fill(values), field="to")
        return found if self._name is None else found.named(self._name.fill(values).strip())


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
