"""Mail merge: one message for many readers, whose unchanging parts are encoded once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ..address import Address
from ..controls import shown
from ..errors import BadValue, SMTPSError
from ..mailboxes import parse_address
from .form import Filled, Form, form_of, take_values
from .message import Fill, Message
from .msgid import new_boundary
from .parts import Piece, TextPart
from .row import Row, Unfilled
from .template import Template, has_fields, values_of
from .transfer import Offer

__all__ = ["Mailing"]

_is_special = re.compile("[&<>\"']").search


class Mailing:
    """A message with `{{ field }}` in its subject, text, HTML, headers or recipients.

    Values are put into HTML escaped, into addresses as a name or an address and never as more than
    one recipient, and into a URL percent-encoded.

    Args:
        message: the message; it is not changed, and later changes to it have no effect.

    Raises:
        BadValue: it is no message, or has a field where none is filled: in the authors, in Cc, in
            Bcc or where answers go.
    """

    def __init__(self, message: Message) -> None:
        if not isinstance(message, Message):
            raise BadValue(
                "message",
                f"expected a smtps.Message, not {type(message).__name__}; Message.from_email makes"
                " one of a message of the standard library",
            )
        _check_people(message)
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
        self._form: Form | None = None
        if self._to is not None:
            self._form = form_of(self._message, self._to.name, self._to.address, self._names)
        #: Headers that are the same for all, unless some have fields.
        self._headers = None if self._more else b"".join(self._message.header_lines(_no_fields))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what each row has to have, each once."""
        return self._names

    def for_each(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
        """Give one message for each row, as the rows come.

        A row that cannot be filled gives a message that cannot be sent: its receipt says which row
        and which field, and the rest goes on.

        Raises:
            BadValue: `rows` is nothing that gives rows.
        """
        if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
            raise BadValue("rows", f"expected mappings, one for each, not {type(rows).__name__}")
        return self._each(rows)

    def _each(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Message]:
        names = self._names
        for number, row in enumerate(rows):
            values = take_values(row, names)
            if values is None:
                try:
                    values = tuple(values_of(row, names).values())
                except SMTPSError as error:
                    yield Unfilled(number, error)
                    continue
            yield Row.of(self, number, values)

    def fill(self, values: tuple[str, ...]) -> Message:
        """Make the message of these values.

        Raises:
            SMTPSError: they make none that can be sent.
        """
        named = dict(zip(self._names, values, strict=True))
        encoded = {name: value.encode() for name, value in named.items()}
        filled = self._message.copy()
        if self._to is not None:
            filled.address_to(self._to.fill(named))
        if self._subject is not None:
            filled.subject = self._subject.fill(named)
        text, html = self._text, self._html
        filled.fill(
            None if text is None else _FilledText(text, encoded, "plain", "text"),
            None
            if html is None
            else _FilledText(html, self._escaped(named, encoded), "html", "html"),
            self._filler(named),
        )
        return filled

    def fill_form(self, values: tuple[str, ...], eight_bit: bool) -> Filled | None:
        """Make what goes of these values at once, if they are what most rows are.

        Raises:
            SMTPSError: they make no message that can be sent.
        """
        if self._form is None:
            return None
        message, headers = self._message, self._headers
        if headers is None:
            named = dict(zip(self._names, values, strict=True))
            headers = b"".join(message.header_lines(self._filler(named)))
        date, message_id = message.new_identity()
        return self._form.fill(values, new_boundary(), date, message_id, headers, eight_bit)

    def _filler(self, values: Mapping[str, str]) -> Fill:
        """Give what fills the texts of headers."""
        return lambda text, quote: self._more[text].fill(_quoted(values, quote))

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


def _check_people(message: Message) -> None:
    """Refuse fields that would be sent as they stand."""
    for field in ("from_", "to", "cc", "bcc", "reply_to"):
        for one in getattr(message, field):
            if has_fields(one.name) or has_fields(one.local):
                raise BadValue(
                    field,
                    f"{shown(str(one))} has a field; they are filled in subject, text, html,"
                    " headers and a single to",
                )


def _no_fields(text: str, quote: Callable[[str], str]) -> str:
    raise AssertionError(f"{quote(text)} was not noted")


def _quoted(values: Mapping[str, str], quote: Callable[[str], str]) -> Mapping[str, str]:
    return {name: quote(value) for name, value in values.items()}


class _FilledText:
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
            self.name: Template | None = Template(name.strip().strip('"'))
            self.address = Template(rest.rstrip()[:-1])
        else:
            self.name = None
            self.address = Template(text.strip())
        found = self.name.names if self.name is not None else ()
        self.names = (*self.address.names, *found)

    def fill(self, values: Mapping[str, str]) -> Address:
        found = parse_address(self.address.fill(values), field="to")
        return (
            found if self.name is None else found.named(self.name.fill(values).strip(), field="to")
        )
