"""The message of the classic component: its properties, its headers, and what is sent of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from .address import Address
from .charsets import CODE_PAGES
from .codec import HARD_LIMIT
from .dialogue.transaction import Transaction
from .enumerations import RecipientType
from .envelope import Envelope
from .errors import AddressError, BadValue
from .mailboxes import parse_address_list, parse_sender
from .mime.headers import parse_headers
from .mime.plain import ComposedMessage, PlainMessage
from .properties import MessageProperties
from .settings import Settings
from .wire.capabilities import Capabilities
from .wire.content import Composition, Content, Source

__all__ = ["ClassicMessage", "Header"]

_MAY_FAIL = RecipientType.BCC


class Header(NamedTuple):
    """One header of the message: its name and its value, unfolded."""

    field: str
    value: str


class _Envelope(NamedTuple):
    """The recipients of the classic message, each address once."""

    addresses: list[str]
    #: The places of those whose refusal stops the message.
    required: list[int]
    #: What to append to RCPT, by place.
    options: dict[int, str]


class _Attachment(Content):
    """What follows the text, and is error 302 where it cannot be read."""

    __slots__ = ("_field",)

    def __init__(self, field: str, source: Source) -> None:
        super().__init__(source)
        self._field = field

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece, once."""
        try:
            yield from super().chunks()
        except BadValue:
            raise
        except (OSError, ValueError) as error:
            raise BadValue(self._field, f"cannot be read: {error}", code=302) from error


class ClassicMessage(MessageProperties):
    """The message that the properties describe, as `send()` without an item sends it."""

    settings: Settings
    _stream: BinaryIO | None = None
    _identifier: str | None = None
    _last_message_id: str = ""

    @property
    def last_message_id(self) -> str:
        """The Message-ID of the message that was sent last, with its angle brackets."""
        return self._last_message_id

    @property
    def message_headers(self) -> list[Header]:
        """The headers that would be sent now, in their order; BCc is never among them.

        While From or the recipients are missing, so are the headers that they make.

        Raises:
            BadValue, AddressError: a property cannot be sent.
        """
        lines = parse_headers(self.message_headers_string, field="message_headers")
        return [Header(line.name, line.value) for line in lines]

    @property
    def message_headers_string(self) -> str:
        """The same as text: folded, with CRLF line ends, without the blank line behind them.

        Raises:
            BadValue, AddressError: a property cannot be sent.
        """
        draft = not (self.from_ and self.message_recipients)
        return self._compose(draft=draft).headers.decode()

    def set_message_stream(self, stream: BinaryIO | None) -> None:
        """Send a binary file, from where it stands, behind the text; None sends none.

        It is read in pieces while the message is sent, and closed afterwards if the setting
        `close_stream_after_transfer` says so. Without a text it is the whole body; a text that does
        not end its last line is parted from it by a blank line.

        What was sent is forgotten. Where sending failed and the file was closed all the same, the
        next `send` is error 302, since it would go without its content, until another file or None
        is set.

        Raises:
            BadValue: it cannot be read, or it gives text. Error 302.
        """
        if stream is not None:
            if not hasattr(stream, "read"):
                raise BadValue(
                    "message_stream", f"expected a binary file, or None, not {stream!r}", code=302
                )
            _refuse_closed(stream)
            if hasattr(stream, "encoding"):
                raise BadValue(
                    "message_stream", 'the file gives text; open it with mode "rb"', code=302
                )
        self._stream = stream

    def reset_headers(self) -> None:
        """Clear the recipients and every header property; dates and identifiers are made anew.

        The text, the server and the TLS properties stay.
        """
        self.message_recipients.clear()
        for name in _HEADER_PROPERTIES:
            self.options[name].reset(self)
        self._identifier = None

    # --- what is sent -----------------------------------------------------------------------------

    def _classic_transaction(self, verb: str = "MAIL FROM") -> Transaction:
        """Make the transaction for the properties as they are now.

        Raises:
            AddressError: an address is not one, or there is no recipient (165).
            BadValue: a property cannot be sent; without From it is error 164; 302 when the attached
                file cannot be read.
        """
        sender = self._bounce_address() if self.return_path else self._author()
        people = self._envelope()
        envelope = Envelope(sender, people.addresses, smtputf8=self._needs_utf8() or None)
        message_id: str | None = None
        content: Content | Callable[[Capabilities], Content]
        if self.message:
            content = Composition(*_parted(self.message))
        else:
            composed = self._compose()
            message_id = composed.message_id
            streams = list(self._streams())
            content = self._content(composed, streams)
            if composed.eight_bit and not streams:
                # What is read while it is sent cannot be encoded otherwise half-way.
                content = self._encoder(content)
        return Transaction(
            envelope,
            content,
            required=people.required,
            message_id=message_id,
            verb=verb,
            rcpt_options=people.options,
        )

    def _bounce_address(self) -> str:
        address = parse_sender(self.return_path, field="return_path")
        return address.spec if address else ""

    def _author(self) -> str:
        authors = parse_address_list(self.from_, field="from_")
        if not authors:
            raise BadValue("from_", "empty; say who the message is from", code=164)
        return authors[0].spec

    def _envelope(self) -> _Envelope:
        """Give To, Cc and BCc in this order, each address once."""
        ordered = sorted(self.message_recipients, key=lambda recipient: recipient.type)
        if not any(one.type is RecipientType.TO for one in ordered) and (
            not self.settings.allow_empty_to or not ordered
        ):
            raise AddressError(
                "send_to", "no recipient; name one, or set allow_empty_to and name others"
            )
        required: dict[str, bool] = {}
        options: dict[str, str] = {}
        for one in ordered:
            mailbox = one.mailbox
            spec = mailbox.spec
            needed = one.type is not _MAY_FAIL or self.settings.stop_on_bcc_errors
            required[spec] = required.get(spec, False) or needed
            if one.options.strip():
                options.setdefault(spec, _on_the_wire(one.options))
        places = {spec: place for place, spec in enumerate(required)}
        return _Envelope(
            list(required),
            [places[spec] for spec, needed in required.items() if needed],
            {places[spec]: text for spec, text in options.items()},
        )

    def _message(self) -> PlainMessage:
        def mailboxes(kind: RecipientType) -> list[Address]:
            return [one.mailbox for one in self.message_recipients if one.type is kind]

        return PlainMessage(
            from_=self.from_,
            send_to=mailboxes(RecipientType.TO),
            cc=mailboxes(RecipientType.CC),
            reply_to=self.reply_to,
            subject=self.subject,
            message_date=self.message_date,
            message_id=self._own_identifier(),
            importance=self.importance,
            priority=self.priority,
            sensitivity=self.sensitivity,
            read_receipt_to=self.read_receipt_to,
            delivery_notification_to=self.delivery_notification_to,
            other_headers=self.other_headers,
            message_text=self.message_text,
            max_header_length=min(self.settings.max_header_length, HARD_LIMIT),
            charset=self._charset(),
        )

    def _charset(self) -> str:
        settings = self.settings
        if settings.code_page and not Settings.charset.is_set(settings):
            return CODE_PAGES[settings.code_page]
        return settings.charset

    def _own_identifier(self) -> str:
        # One identifier for one message: a second try bears the same, so that a receiver can see
        # that it is one.
        return self._identifier or "*" if self.message_id == "*" else self.message_id

    def _compose(self, *, draft: bool = False) -> ComposedMessage:
        composed = self._message().compose(utf8=self._needs_utf8(), draft=draft)
        if self.message_id == "*":
            self._identifier = composed.message_id
        return composed

    def _needs_utf8(self) -> bool:
        """Tell whether a header will hold an address that only SMTPUTF8 can carry."""
        shown = [one.mailbox for one in self.message_recipients]
        for field in ("from_", "reply_to"):
            shown += parse_address_list(getattr(self, field), field=field)
        return any(address.needs_utf8 for address in shown)

    def _encoder(self, eight_bit: Content) -> Callable[[Capabilities], Content]:
        """Give a function that chooses the encoding by what a server takes."""
        message, utf8 = self._message(), self._needs_utf8()

        def encode(capabilities: Capabilities) -> Content:
            if capabilities.eight_bit_mime:
                return eight_bit
            composed = message.compose(eight_bit_mime=False, utf8=utf8)
            return Composition(composed.headers + b"\r\n", composed.body)

        return encode

    def _streams(self) -> Iterator[Content]:
        """Give what is sent behind the text."""
        if self.attached_file:
            try:
                with open(self.attached_file, "rb"):
                    pass
                yield _Attachment("attached_file", self.attached_file)
            except OSError as error:
                reason = f"{self.attached_file!r} cannot be read: {error.strerror or error}"
                raise BadValue("attached_file", reason, code=302) from error
        if self._stream is not None:
            _refuse_closed(self._stream)
            yield _Attachment("message_stream", self._stream)

    def _content(self, composed: ComposedMessage, streams: list[Content]) -> Composition:
        text = composed.body
        if text and streams and not text.endswith(b"\r\n"):
            text += b"\r\n\r\n"
        owned = []
        if self._stream is not None and self.settings.close_stream_after_transfer:
            owned.append(self._stream)
        return Composition(composed.headers + b"\r\n", text, streams, owned)

    def _was_sent(self, transaction: Transaction) -> None:
        """Note that the message is with the server, so that the next one is another."""
        self._last_message_id = transaction.message_id or ""
        self._identifier = None
        if getattr(self._stream, "closed", False):
            self._stream = None


_HEADER_PROPERTIES = (
    *("from_", "reply_to", "subject", "read_receipt_to", "delivery_notification_to"),
    *("importance", "priority", "sensitivity", "other_headers", "return_path"),
    *("message_date", "message_id"),
)


def _refuse_closed(stream: BinaryIO) -> None:
    if getattr(stream, "closed", False):
        raise BadValue(
            "message_stream", "the file is closed; set one that is open, or None", code=302
        )


def _on_the_wire(options: str) -> str:
    """Write `NOTIFY SUCCESS`, as an old example of the component has it, the way RFC 3461 does."""
    text = options.strip()
    if text[:7].upper() == "NOTIFY ":
        return f"NOTIFY={text[7:].strip()}"
    return text


def _parted(message: bytes) -> tuple[bytes, bytes]:
    """Part a finished message behind the blank line that ends its headers."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, body = message.partition(blank)
        if found:
            return head + found, body
    return message, b""
