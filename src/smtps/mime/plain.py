"""The message of the classic component: its properties become a header block and a text body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

from ..address import Address
from ..charsets import is_usable_charset
from ..codec import HARD_LIMIT, encode_quoted_printable, normalize_newlines, survey
from ..domain import domain_to_wire
from ..errors import AddressError, BadValue
from ..mailboxes import parse_address_list
from .headers import (
    DEFAULT_LIMIT,
    address_header,
    check_block,
    header,
    parse_headers,
    text_header,
)
from .msgid import check_date, check_message_id, format_date, new_message_id

__all__ = ["ComposedMessage", "PlainMessage"]

# RFC 2156, by the numbers of the classic component; 0 writes no header.
_IMPORTANCE = ("", "High", "Normal", "Low")
_PRIORITY = ("", "normal", "urgent", "non-urgent")
_SENSITIVITY = ("", "Personal", "Private", "Company-Confidential")

_line_end = re.compile(r"\r\n|\r|\n").match
_charset_parameter = re.compile(r';[ \t]*charset[ \t]*=[ \t]*"?([^ \t";]++)', re.IGNORECASE).search

#: The name of a header in lower case, and its finished lines.
_Lines: TypeAlias = tuple[str, bytes]


class ComposedMessage(NamedTuple):
    """A finished message, as it goes on the wire but for the doubled dots."""

    #: The header lines, each with its CRLF, without the blank line after them.
    headers: bytes
    #: The body with CRLF newlines.
    body: bytes
    message_id: str | None
    #: Whether the body needs 8BITMIME.
    eight_bit: bool

    @property
    def content(self) -> bytes:
        """The whole message."""
        return self.headers + b"\r\n" + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainMessage:
    """The properties that make up the message of the classic component. BCc is not among them.

    Addresses are text with commas between them, or already parsed. `importance`, `priority` and
    `sensitivity` are the component's numbers.

    Args:
        message_date: "*" is now, "" writes no Date; text is checked and used as it is.
        message_id: "*" makes one, "" writes none; missing angle brackets are added.
        other_headers: header lines to add. One of them replaces the computed header of the same
            name; if the text begins with a line end, its lines replace all computed headers. `Bcc`
            lines are left out.
        message_text: the body, with any newlines.
        max_header_length: where headers are folded; 0 folds what is over 998 characters only.
        charset: for headers and text that ASCII cannot hold.
    """

    from_: str | Sequence[Address] = ""
    send_to: str | Sequence[Address] = ""
    cc: str | Sequence[Address] = ""
    reply_to: str | Sequence[Address] = ""
    subject: str = ""
    message_date: str | datetime = "*"
    message_id: str = "*"
    importance: int = 0
    priority: int = 0
    sensitivity: int = 0
    read_receipt_to: str | Sequence[Address] = ""
    delivery_notification_to: str | Sequence[Address] = ""
    other_headers: str = ""
    message_text: str = ""
    max_header_length: int = DEFAULT_LIMIT
    charset: str = "utf-8"

    def compose(
        self, *, eight_bit_mime: bool = True, utf8: bool = False, draft: bool = False
    ) -> ComposedMessage:
        """Build the message. Each call takes the time and a new Message-ID where "*" asks for it.

        Args:
            eight_bit_mime: whether the server offers 8BITMIME; without it text that ASCII cannot
                hold goes as quoted-printable.
            utf8: whether the server offers SMTPUTF8, so that headers may hold UTF-8 addresses.
            draft: whether From and recipients may still be missing; what they make is left out.

        Raises:
            AddressError: an address is not one, or needs `utf8`.
            BadValue: a property cannot be sent: error 164 without From, 434 when the charset lacks
                a character.
        """
        _check_charset(self.charset, "charset")
        leading = _line_end(self.other_headers)
        alone = leading is not None
        others = [
            line
            for line in parse_headers(
                self.other_headers[leading.end() if leading else 0 :],
                field="other_headers",
                charset=self.charset,
            )
            if line.name.lower() not in ("bcc", "resent-bcc")
        ]
        given = {line.name.lower(): line.value for line in others}
        identifier = given.get("message-id")
        body, transfer_encoding = self._body(given, alone, eight_bit_mime)
        computed: list[_Lines] = []
        if not alone:
            senders = self._senders(given, draft)
            identifier = identifier or self._identifier(senders)
            computed += self._headers(senders, identifier, utf8, draft)
            computed += self._mime_headers(transfer_encoding)
        lines = [lines for name, lines in computed if name not in given]
        block = b"".join([*lines, *(line.lines for line in others)])
        check_block(block, field="headers")
        return ComposedMessage(block, body, identifier, transfer_encoding == "8bit")

    def _senders(self, given: dict[str, str], draft: bool) -> list[Address]:
        senders = _mailboxes(self.from_, "from_") or _mailboxes(
            given.get("from", ""), "other_headers"
        )
        if not senders and not draft:
            raise BadValue("from_", "there is no sender; set it to name@domain", code=164)
        if not all(sender.domain for sender in senders):
            raise AddressError("from_", "a sender needs a domain; write name@domain")
        return senders

    def _identifier(self, senders: list[Address]) -> str | None:
        if self.message_id == "*":
            if not senders:
                return None  # Its domain is that of From.
            return new_message_id(domain_to_wire(senders[0].domain, field="from_"))
        return check_message_id(self.message_id, field="message_id") if self.message_id else None

    def _headers(
        self, senders: list[Address], identifier: str | None, utf8: bool, draft: bool
    ) -> Iterator[_Lines]:
        """Give what the properties say, in the order that the component keeps."""
        limit = self.max_header_length

        def addresses(name: str, mailboxes: list[Address]) -> Iterator[_Lines]:
            if mailboxes:
                lines = address_header(
                    name, mailboxes, limit=limit, charset=self.charset, utf8=utf8
                )
                yield name.lower(), lines

        def words(name: str, value: str | None) -> Iterator[_Lines]:
            if value:
                yield name.lower(), header(name, value, limit=limit)

        to, cc = _mailboxes(self.send_to, "send_to"), _mailboxes(self.cc, "cc")
        yield from addresses("From", senders)
        if len(senders) > 1:
            # RFC 5322 3.6.2: with several authors, one must be named as who sent it.
            yield from addresses("Sender", senders[:1])
        yield from addresses("To", to)
        if not to and not cc and not draft:
            yield from words("To", "undisclosed-recipients:;")
        yield from addresses("Cc", cc)
        if self.subject:
            yield "subject", text_header("Subject", self.subject, limit=limit, charset=self.charset)
        yield from words("Date", _date(self.message_date))
        yield from words("Message-ID", identifier)
        yield from addresses("Reply-To", _mailboxes(self.reply_to, "reply_to"))
        yield from words("Importance", _choose(_IMPORTANCE, self.importance, "importance"))
        yield from words("Priority", _choose(_PRIORITY, self.priority, "priority"))
        yield from words("Sensitivity", _choose(_SENSITIVITY, self.sensitivity, "sensitivity"))
        yield from addresses(
            "Disposition-Notification-To", _mailboxes(self.read_receipt_to, "read_receipt_to")
        )
        yield from addresses(
            "Return-Receipt-To",
            _mailboxes(self.delivery_notification_to, "delivery_notification_to"),
        )

    def _mime_headers(self, transfer_encoding: str) -> Iterator[_Lines]:
        """Describe the body, unless it is ASCII, which needs no description."""
        if transfer_encoding:
            yield "mime-version", header("MIME-Version", "1.0")
            yield "content-type", header("Content-Type", f"text/plain; charset={self.charset}")
            yield (
                "content-transfer-encoding",
                header("Content-Transfer-Encoding", transfer_encoding),
            )

    def _body(self, given: dict[str, str], alone: bool, eight_bit_mime: bool) -> tuple[bytes, str]:
        """Encode the text; tell how for Content-Transfer-Encoding, with nothing for ASCII.

        Args:
            alone: whether no header may be added.
        """
        charset = self.charset
        if named := _charset_parameter(given.get("content-type", "")):
            charset = named[1]
            _check_charset(charset, "other_headers")
        try:
            body = normalize_newlines(self.message_text.encode(charset))
        except UnicodeEncodeError as error:
            lacking = self.message_text[error.start]
            raise BadValue(
                "message_text",
                f"holds {lacking!r}, which {charset} has not; use utf-8",
                code=434,
            ) from None
        look = survey(body)
        fits = look.longest_line <= HARD_LIMIT and not look.nul
        described = "content-type" in given or "content-transfer-encoding" in given
        if not (alone or described or self.message_text.isascii()) and (
            not fits or (look.eight_bit and not eight_bit_mime)
        ):
            return encode_quoted_printable(body), "quoted-printable"
        if not fits:
            if look.nul:
                position = self.message_text.index("\0")
                raise BadValue(
                    "message_text", f"holds NUL at position {position}, which mail cannot carry"
                )
            raise BadValue(
                "message_text",
                f"has a line of {look.longest_line} bytes, and a line of mail has at most "
                f"{HARD_LIMIT}; break it, or encode the text and say so in other_headers",
            )
        if self.message_text.isascii():
            return body, ""
        return body, "8bit" if look.eight_bit else "7bit"


def _mailboxes(value: str | Sequence[Address], field: str) -> list[Address]:
    return parse_address_list(value, field=field) if isinstance(value, str) else list(value)


def _date(value: str | datetime) -> str:
    if isinstance(value, datetime):
        return format_date(value)
    if value == "*":
        return format_date()
    return check_date(value, field="message_date") if value else ""


def _choose(values: tuple[str, ...], number: int, field: str) -> str:
    if not 0 <= number < len(values):
        raise BadValue(field, f"expected 0 to {len(values) - 1}")
    return values[number]


def _check_charset(charset: str, field: str) -> None:
    """Refuse what is no charset of mail."""
    if not is_usable_charset(charset):
        raise BadValue(field, f"{charset!r} is not a charset that mail can use; write utf-8")
