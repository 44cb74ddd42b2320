"""What the blocking and the asyncio component share: options, messages, and who is running."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from email.message import Message as EmailMessage
from typing import Any, Self, TypeAlias

from .address import Address, parse_address_list
from .dialogue.transaction import Transaction
from .envelope import Envelope, Recipient
from .errors import BadValue, Busy
from .events import HANDLERS, Error, PITrail
from .mime.bridge import flatten, recipients_of, sender_of
from .mime.plain import PlainMessage
from .options import RecipientPolicy, assign
from .properties import ConnectionProperties, MessageProperties
from .receipt import Receipt
from .session import Session
from .settings import Settings
from .url import RelayURL
from .wire.capabilities import Capabilities
from .wire.content import Content, Source

__all__ = ["Component", "Item"]

#: What can be sent.
Item: TypeAlias = EmailMessage | tuple[Envelope, Source]


class Component(ConnectionProperties, MessageProperties):
    """One connection to a relay, without the calls that wait."""

    #: Called with a `PITrail` for every line of the session.
    on_pi_trail: Callable[[PITrail], Any] | None = None
    #: Called with an `Error` for every problem that did not stop a message.
    on_error: Callable[[Error], Any] | None = None

    def __init__(self, **options: Any) -> None:
        """Take any property or setting by its name.

        Raises:
            BadValue: a name is unknown, or a value cannot be used.
        """
        self._session: Session | None = None
        self.settings = Settings(self.is_locked)
        self._session = Session(self)
        self._running: str | None = None
        for name, value in options.items():
            assign((self, self.settings), name, value)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make a component from a relay URL; it connects when it is used.

        `smtps://user:password@host` is TLS from the first byte (port 465), `smtp://...` requires
        STARTTLS (port 587 with a user, 25 without), and `?tls=none` is the one way to clear text.
        Every other query parameter is a property or setting: `?timeout=10&max_line_length=4096`.

        Raises:
            BadValue: it is not such a URL, or an option is unknown or cannot be used.
        """
        parts = RelayURL.parse(url)
        component = cls(
            mail_server=parts.host,
            mail_port=parts.port,
            ssl_start_mode=parts.start_mode,
            user=parts.user,
            password=parts.password,
        )
        for name, value in parts.query:
            assign((component, component.settings), name, value, parse=True)
        return component

    def __repr__(self) -> str:
        state = "connected" if self.connected else "not connected"
        place = f"{self.mail_server}:{self.mail_port}" if self.mail_server else "no server"
        return f"<{type(self).__name__} {place}, {state}>"

    # --- state ------------------------------------------------------------------------------------

    def is_locked(self) -> bool:
        """Tell whether options that a connection depends on are frozen now."""
        return self._session is not None and self._session.connected

    @property
    def connected(self) -> bool:
        """Whether a session is up."""
        return self._live.connected

    @property
    def idle(self) -> bool:
        """Whether no method is running."""
        return self._running is None

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers, as its last EHLO said; nothing while not connected."""
        return self._live.capabilities

    @property
    def last_reply(self) -> str:
        """The last complete reply of the server: all its lines with their codes."""
        return self._live.last_reply.raw if self._live.last_reply else ""

    @property
    def last_reply_code(self) -> int:
        """The code of the last complete reply, 0 before the first."""
        return self._live.last_reply.code if self._live.last_reply else 0

    @property
    def _live(self) -> Session:
        assert self._session is not None
        return self._session

    def _enter(self, method: str) -> Session:
        """Begin a method that talks to the server."""
        if self._running is not None:
            raise Busy(self._running)
        session = self._live
        self._running = method
        session.heard = frozenset(
            event for event, name in HANDLERS.items() if getattr(self, name) is not None
        )
        session.begin()
        return session

    def _observe(self, event: object) -> Any:
        """Hand an event to the program's handler, if it has one."""
        handler: Callable[[Any], Any] | None = getattr(self, HANDLERS[type(event)])
        return handler(event) if handler is not None else None

    # --- messages ---------------------------------------------------------------------------------

    def _transaction(
        self,
        item: Item | None,
        sender: str | None,
        recipients: Iterable[str | Recipient] | None,
    ) -> Transaction:
        """Make the transaction for an item, or for the classic properties.

        Raises:
            BadValue, AddressError: it cannot be sent as it is; nothing was.
        """
        if item is None:
            return self._classic_transaction()
        if isinstance(item, EmailMessage):
            envelope = Envelope(
                sender_of(item) if sender is None else sender,
                recipients_of(item) if recipients is None else tuple(recipients),
            )
            source: Source = flatten(item, utf8=envelope.smtputf8)
            message_id = item["Message-ID"]
        elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Envelope):
            envelope, source = item
            envelope = _override(envelope, sender, recipients)
            message_id = None
        else:
            raise BadValue(
                "item", f"expected a message or (Envelope, content), not {type(item).__name__}"
            )
        everyone = self.settings.recipient_policy is RecipientPolicy.ALL
        return Transaction(
            envelope,
            Content(source),
            required=range(len(envelope.recipients)) if everyone else (),
            message_id=None if message_id is None else str(message_id).strip(),
        )

    def _classic_transaction(self) -> Transaction:
        """Make the transaction for the classic properties.

        Raises:
            AddressError: an address is not one, or there is no recipient (165).
            BadValue: a property cannot be sent; without From it is error 164.
        """
        recipients, required = self._classic_recipients()
        authors = parse_address_list(self.from_, field="from_")
        if not authors:
            raise BadValue("from_", "empty; say who the message is from", code=164)
        envelope = Envelope(self.return_path or str(authors[0]), recipients)
        message = PlainMessage(
            from_=self.from_,
            send_to=self.send_to,
            cc=self.cc,
            reply_to=self.reply_to,
            subject=self.subject,
            message_date=self.message_date,
            message_id=self.message_id,
            importance=self.importance,
            priority=self.priority,
            sensitivity=self.sensitivity,
            read_receipt_to=self.read_receipt_to,
            delivery_notification_to=self.delivery_notification_to,
            other_headers=self.other_headers,
            message_text=self.message_text,
            max_header_length=self.settings.max_header_length,
        )
        composed = message.compose(utf8=envelope.smtputf8)
        # The same message, should the server turn out not to take 8 bits.
        same = replace(message, message_id=composed.message_id or "")

        def in_seven_bits() -> Content:
            again = same.compose(eight_bit_mime=False, utf8=envelope.smtputf8)
            return Content(again.content)

        return Transaction(
            envelope,
            Content(composed.content),
            required=required,
            in_seven_bits=in_seven_bits,
            message_id=composed.message_id,
        )

    def _classic_recipients(self) -> tuple[list[str], list[int]]:
        """Give To, Cc and BCc in this order, each address once, and the places of the required."""
        found: dict[str, bool] = {}
        for field, is_required in (
            ("send_to", True),
            ("cc", True),
            ("bcc", self.settings.stop_on_bcc_errors),
        ):
            for address in parse_address_list(getattr(self, field), field=field):
                spec = str(Address(address.local, address.domain))
                found[spec] = found.get(spec, False) or is_required
        return list(found), [place for place, needed in enumerate(found.values()) if needed]


def _override(
    envelope: Envelope, sender: str | None, recipients: Iterable[str | Recipient] | None
) -> Envelope:
    if sender is None and recipients is None:
        return envelope
    return Envelope(
        envelope.sender if sender is None else sender,
        envelope.recipients if recipients is None else tuple(recipients),
        smtputf8=envelope.smtputf8 or None,
        ret=envelope.ret,
        envid=envelope.envid,
        requiretls=envelope.requiretls,
        deliver_by=envelope.deliver_by,
        priority=envelope.priority,
    )


def settle(receipt: Receipt) -> Receipt:
    """Give the receipt back, or raise its error if the message went to nobody."""
    if not receipt.accepted:
        receipt.raise_for_status()
    return receipt
