"""The envelope: who sends a message to whom, whatever its headers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .address import Address, parse_address, parse_sender
from .errors import AddressError, BadValue
from .options import refuse_controls

__all__ = ["Envelope", "Recipient"]

_NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY")


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
        object.__setattr__(self, "address", _bare(mailbox))
        object.__setattr__(self, "notify", _check_notify(notify))
        if orcpt is not None:
            refuse_controls("orcpt", orcpt)
        object.__setattr__(self, "orcpt", orcpt)


@dataclass(frozen=True, slots=True, init=False)
class Envelope:
    """The sender and the recipients of one message, and how it is to be carried.

    Each parameter is sent only to a server that offers its extension; where it is missing, sending
    fails with `NotOffered` before any byte, since a promise that nobody keeps is worse than none.

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

    sender: str
    recipients: tuple[Recipient, ...]
    smtputf8: bool
    ret: Literal["FULL", "HDRS"] | None
    envid: str | None
    requiretls: bool
    deliver_by: int | None
    priority: int | None
    mailbox: Address | None

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
        mailbox = parse_sender(sender, field="sender")
        if isinstance(recipients, (str, Recipient)):
            recipients = (recipients,)
        known = tuple(
            recipient if isinstance(recipient, Recipient) else Recipient(recipient)
            for recipient in recipients
        )
        if not known:
            raise AddressError("recipients", "there is none; name at least one")
        if ret not in (None, "FULL", "HDRS"):
            raise BadValue("ret", 'expected "FULL" or "HDRS"')
        if envid is not None:
            refuse_controls("envid", envid)
            if not 0 < len(envid) <= 100 or not envid.isascii():
                raise BadValue("envid", "expected 1 to 100 ASCII characters")
        if deliver_by is not None and (deliver_by == 0 or abs(deliver_by) > 999_999_999):
            raise BadValue("deliver_by", "expected seconds, at most nine digits and not 0")
        if priority is not None and not -9 <= priority <= 9:
            raise BadValue("priority", f"{priority} is not between -9 and 9")
        if smtputf8 is None:
            smtputf8 = (mailbox is not None and mailbox.needs_utf8) or any(
                recipient.mailbox.needs_utf8 for recipient in known
            )
        put = object.__setattr__
        put(self, "mailbox", mailbox)
        put(self, "sender", _bare(mailbox) if mailbox else "")
        put(self, "recipients", known)
        put(self, "smtputf8", smtputf8)
        put(self, "ret", ret)
        put(self, "envid", envid)
        put(self, "requiretls", requiretls)
        put(self, "deliver_by", deliver_by)
        put(self, "priority", priority)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients' addresses in their order."""
        return tuple(recipient.address for recipient in self.recipients)


def _bare(mailbox: Address) -> str:
    """Spell an address as receipts show it: without a display name, the domain as it was given."""
    return str(Address(mailbox.local, mailbox.domain) if mailbox.name else mailbox)


def _check_notify(notify: str | Sequence[str] | None) -> tuple[str, ...]:
    if notify is None:
        return ()
    words = notify.split(",") if isinstance(notify, str) else notify
    words = tuple(word.strip().upper() for word in words)
    if not words or any(word not in _NOTIFY for word in words) or len(set(words)) < len(words):
        raise BadValue("notify", f"expected NEVER, or any of {', '.join(_NOTIFY[1:])}")
    if "NEVER" in words and len(words) > 1:
        raise BadValue("notify", "NEVER stands alone")
    return words
