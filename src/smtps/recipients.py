"""The recipients of the classic message: one list, and SendTo, Cc and BCc as views of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self, SupportsIndex

from .address import Address
from .controls import refuse_controls, shown
from .enumerations import RecipientType
from .errors import AddressError, BadValue
from .mailboxes import parse_address, parse_address_list
from .options import Configurable, Option

__all__ = ["MessageRecipient", "RecipientView", "Recipients", "check_recipients", "recipients_of"]


@dataclass(slots=True)
class MessageRecipient:
    """One recipient of the classic message.

    Args:
        address: `a@b`, without a name.
        name: what the header shows beside it.
        type: the header that names it; a BCC recipient is named in none.
        options: parameters for its RCPT command, such as `NOTIFY=SUCCESS,DELAY`; they are sent to
            servers that offer DSN. RFC 3461.

    Raises:
        AddressError: the address is not one.
        BadValue: a field holds a control character or is not of its type.
    """

    address: str = ""
    name: str = ""
    type: RecipientType = RecipientType.TO
    options: str = ""

    def __setattr__(self, field: str, value: Any) -> None:
        check = _CHECKS.get(field)
        object.__setattr__(self, field, check(field, value) if check else value)

    @property
    def mailbox(self) -> Address:
        """The address with the name beside it.

        Raises:
            AddressError: there is no address.
        """
        bare = parse_address(self.address, field="message_recipients")
        return Address(bare.local, bare.domain, self.name)


def _address(field: str, value: Any) -> str:
    if not _text(field, value):
        return ""
    parsed = parse_address(value, field=field)
    if parsed.name:
        raise AddressError(field, "holds a name; it has a field of its own, name")
    return str(parsed)


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(field, f"expected text, not {type(value).__name__}")
    refuse_controls(field, value)
    return value


def _type(field: str, value: Any) -> RecipientType:
    try:
        return RecipientType(value)
    except ValueError:
        raise BadValue(field, f"{value!r} is none of 0 TO, 1 CC, 2 BCC") from None


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "address": _address,
    "name": _text,
    "type": _type,
    "options": _text,
}


class RecipientView(Option[str]):
    """The recipients of one type, as text with commas between them.

    Reading joins them; assigning parses the text and replaces all recipients of the type, in the
    list `message_recipients` of the instance.
    """

    def __init__(self, name: str, kind: RecipientType, *, doc: str = "") -> None:
        super().__init__(name, "", check=_text, parse=lambda _, value: value, doc=doc)
        self.kind = kind

    def __get__(self, instance: Configurable | None, owner: type) -> Any:
        """Join the recipients of this type that have an address by now."""
        if instance is None:
            return self
        found = [one for one in recipients_of(instance) if one.type == self.kind and one.address]
        return ", ".join(str(one.mailbox) for one in found)

    def __set__(self, instance: Configurable, value: str) -> None:
        """Parse the text, and replace the recipients of this type.

        Raises:
            AddressError: it is not a list of addresses; the recipients stay as they were.
        """
        parsed = parse_address_list(self.check(self.attribute, value), field=self.attribute)
        found = recipients_of(instance)
        others = [one for one in found if one.type != self.kind]
        found[:] = others + [MessageRecipient(one.spec, one.name, self.kind) for one in parsed]

    def is_set(self, instance: Configurable) -> bool:
        """Tell whether there is a recipient of this type."""
        return any(one.type == self.kind for one in recipients_of(instance))

    def reset(self, instance: Configurable) -> None:
        """Remove the recipients of this type."""
        found = recipients_of(instance)
        found[:] = [one for one in found if one.type != self.kind]


class Recipients(list[MessageRecipient]):
    """A list that takes `MessageRecipient` only, and says so where something else is given."""

    def append(self, value: MessageRecipient) -> None:
        """Add one at the end."""
        super().append(_checked(value))

    def insert(self, index: SupportsIndex, value: MessageRecipient) -> None:
        """Add one before that at `index`."""
        super().insert(index, _checked(value))

    def extend(self, values: Iterable[MessageRecipient]) -> None:
        """Add several at the end."""
        super().extend(check_recipients(values))

    def __iadd__(self, values: Iterable[MessageRecipient]) -> Self:  # type: ignore[misc,override]
        self.extend(values)
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        # A slice takes several.
        check = check_recipients if isinstance(index, slice) else _checked
        super().__setitem__(index, check(value))


def _checked(value: object) -> MessageRecipient:
    if not isinstance(value, MessageRecipient):
        raise BadValue(
            "message_recipients",
            f"expected MessageRecipient, not {shown(value)}; write MessageRecipient(address)",
        )
    return value


def recipients_of(instance: Configurable) -> Recipients:
    """Give the list of an instance, made when it is first asked for."""
    found: Recipients = instance.__dict__.setdefault("_message_recipients", Recipients())
    return found


def check_recipients(value: Iterable[MessageRecipient]) -> list[MessageRecipient]:
    """Take the recipients that a program assigned.

    Raises:
        BadValue: one is something else, or it is no collection of them.
    """
    if not isinstance(value, Iterable):
        raise BadValue(
            "message_recipients", f"expected MessageRecipients, not {type(value).__name__}"
        )
    return [_checked(one) for one in value]
