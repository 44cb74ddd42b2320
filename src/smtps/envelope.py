"""The envelope: who sends a message to whom, whatever its headers say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from .address import Address
from .codec import plain_addresses
from .errors import AddressError
from .mailboxes import parse_address, parse_sender
from .parameters import (
    check_deliver_by,
    check_envid,
    check_notify,
    check_orcpt,
    check_priority,
    check_ret,
    check_switch,
)

__all__ = ["Envelope", "Recipient"]


@dataclass(frozen=True, slots=True, init=False)
class Recipient:
    """One recipient and what its delivery shall report.

    Args:
        address: `user@host`, or with a display name, which the envelope leaves out.
        notify: when the receiving side reports: "NEVER", or any of "SUCCESS", "FAILURE", "DELAY".
            RFC 3461, section 4.1.
        orcpt: the address that the sender knew this recipient by. RFC 3461, section 4.2.

    Raises:
        AddressError: the address is not one that RFC 5321 allows.
        BadValue: `notify` or `orcpt` cannot be sent.
    """

    address: str
    notify: tuple[str, ...]
    orcpt: str | None
    mailbox: Address

    def __init__(
        self,
        address: str,
        *,
        notify: str | Sequence[str] | None = None,
        orcpt: str | None = None,
    ) -> None:
        mailbox = parse_address(address, field="recipient")
        object.__setattr__(self, "mailbox", mailbox)
        object.__setattr__(self, "address", mailbox.spec)
        object.__setattr__(self, "notify", check_notify(notify))
        object.__setattr__(self, "orcpt", check_orcpt(orcpt))


class Envelope:
    """The sender and the recipients of one message, and how it is to be carried.

    Each parameter is sent only to a server that offers its extension; where it is missing, sending
    fails with `NotOffered` before any byte, since a promise that nobody keeps is worse than none.
    An envelope never changes.

    Args:
        sender: where failures are reported; "" or "<>" is nobody.
        smtputf8: whether UTF-8 addresses and headers are needed (RFC 6531); None: when an address
            needs it.
        ret: "FULL" or "HDRS": how much of the message a failure report repeats. RFC 3461, 4.3.
        envid: an identifier that failure reports repeat. RFC 3461, 4.4.
        requiretls: whether every hop must use TLS. RFC 8689.
        deliver_by: the seconds in which it must arrive, or is returned; negative: in which it must
            arrive, or its sender is told that it is late. RFC 2852.
        priority: from -9 to 9. RFC 6710.

    Raises:
        AddressError: an address is not one that RFC 5321 allows, or there is no recipient.
        BadValue: a parameter cannot be sent.
    """

    # Most envelopes are nothing but ASCII addresses, and are made by the million: those hold what
    # is here and nothing else. The rest is in `_details`, and recipients are made when asked for.
    __slots__ = ("_details", "_recipients", "addresses", "sender")

    #: The sender's address, empty for nobody.
    sender: str
    #: The recipients' addresses in their order.
    addresses: tuple[str, ...]
    _recipients: tuple[Recipient, ...] | None
    _details: Details | None

    def __init__(
        self,
        sender: str,
        recipients: str | Recipient | Sequence[str | Recipient],
        *,
        smtputf8: bool | None = None,
        ret: Literal["FULL", "HDRS"] | None = None,
        envid: str | None = None,
        requiretls: bool = False,
        deliver_by: int | None = None,
        priority: int | None = None,
    ) -> None:
        details = None
        known: tuple[Recipient, ...] | None = None
        if isinstance(recipients, (str, Recipient)):
            recipients = (recipients,)
        addresses = plain_addresses(sender, recipients)
        if (
            addresses is None
            or (smtputf8 is not None and smtputf8 is not False)
            or ret is not None
            or envid is not None
            or requiretls is not False
            or deliver_by is not None
            or priority is not None
        ):
            mailbox, known = _checked_people(sender, recipients)
            sender = mailbox.spec if mailbox else ""
            addresses = tuple(recipient.address for recipient in known)
            details = Details(
                mailbox,
                _check_utf8(smtputf8, mailbox, known),
                check_ret(ret),
                check_envid(envid),
                check_switch("requiretls", requiretls),
                check_deliver_by(deliver_by),
                check_priority(priority),
            )
        _set_sender(self, sender)
        _set_addresses(self, addresses)
        _set_recipients(self, known)
        _set_details(self, details)

    @classmethod
    def of_plain(cls, sender: str, addresses: tuple[str, ...]) -> Envelope:
        """Make one of what `plain_addresses` gave for this sender: nothing is checked anew."""
        return _restore(sender, addresses, None, None)

    @property
    def is_plain(self) -> bool:
        """Whether MAIL and RCPT need nothing but the addresses, as they are."""
        return self._details is None

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """The recipients in their order."""
        known = self._recipients
        if known is None:
            known = tuple(map(Recipient, self.addresses))
            _set_recipients(self, known)
        return known

    @property
    def mailbox(self) -> Address | None:
        """The sender as an address; None for nobody."""
        if self._details is not None:
            return self._details.mailbox
        return parse_sender(self.sender, field="sender")

    @property
    def smtputf8(self) -> bool:
        """Whether UTF-8 addresses and headers are needed."""
        return self._details is not None and self._details.smtputf8

    @property
    def ret(self) -> Literal["FULL", "HDRS"] | None:
        """How much of the message a failure report repeats."""
        return self._details.ret if self._details is not None else None

    @property
    def envid(self) -> str | None:
        """The identifier that failure reports repeat."""
        return self._details.envid if self._details is not None else None

    @property
    def requiretls(self) -> bool:
        """Whether every hop must use TLS."""
        return self._details is not None and self._details.requiretls

    @property
    def deliver_by(self) -> int | None:
        """The seconds by which it must arrive."""
        return self._details.deliver_by if self._details is not None else None

    @property
    def priority(self) -> int | None:
        """The priority, from -9 to 9."""
        return self._details.priority if self._details is not None else None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot set {name}: an envelope does not change; make another")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete {name}: an envelope does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Envelope):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((self.sender, self.addresses))

    def __repr__(self) -> str:
        known = self.recipients if self._details is not None else self.addresses
        text = f"Envelope({self.sender!r}, {list(known)!r}"
        if self._details is not None:
            names = (field.name for field in fields(self._details))
            values = ((name, getattr(self, name)) for name in names if name != "mailbox")
            text += "".join(f", {name}={value!r}" for name, value in values if value)
        return text + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (
            self.sender,
            self.addresses,
            self._recipients if self._details is not None else None,
            self._details,
        )

    def _fields(self) -> tuple[object, ...]:
        details = self._details or _PLAIN
        return (self.sender, self.recipients, replace(details, mailbox=None))


@dataclass(frozen=True, slots=True)
class Details:
    """What an envelope says beyond plain addresses."""

    mailbox: Address | None = None
    smtputf8: bool = False
    ret: Literal["FULL", "HDRS"] | None = None
    envid: str | None = None
    requiretls: bool = False
    deliver_by: int | None = None
    priority: int | None = None


_PLAIN = Details()
_set_sender = Envelope.__dict__["sender"].__set__
_set_addresses = Envelope.__dict__["addresses"].__set__
_set_recipients = Envelope.__dict__["_recipients"].__set__
_set_details = Envelope.__dict__["_details"].__set__


def _restore(
    sender: str,
    addresses: tuple[str, ...],
    recipients: tuple[Recipient, ...] | None,
    details: Details | None,
) -> Envelope:
    envelope = Envelope.__new__(Envelope)
    _set_sender(envelope, sender)
    _set_addresses(envelope, addresses)
    _set_recipients(envelope, recipients)
    _set_details(envelope, details)
    return envelope


def _checked_people(
    sender: str, recipients: Iterable[str | Recipient]
) -> tuple[Address | None, tuple[Recipient, ...]]:
    """Give the sender and the recipients as what they are, each checked."""
    if isinstance(recipients, bytes) or not isinstance(recipients, Iterable):
        found = type(recipients).__name__
        raise AddressError("recipients", f"expected addresses, not {found}")
    mailbox = parse_sender(sender, field="sender")
    known = tuple(one if isinstance(one, Recipient) else Recipient(one) for one in recipients)
    if not known:
        raise AddressError("recipients", "there is none; name at least one")
    return mailbox, known


def _check_utf8(
    smtputf8: bool | None, mailbox: Address | None, recipients: Iterable[Recipient]
) -> bool:
    if smtputf8 is not None:
        return check_switch("smtputf8", smtputf8)
    return (mailbox is not None and mailbox.needs_utf8) or any(
        recipient.mailbox.needs_utf8 for recipient in recipients
    )
