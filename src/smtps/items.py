"""What can be sent, and the transaction that each becomes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from email.message import Message as EmailMessage
from itertools import product
from typing import Any, TypeAlias, TypeGuard, TypeVar

from .dialogue.transaction import Transaction
from .envelope import Envelope, Recipient
from .errors import BadValue
from .letter import Letter
from .mime.bridge import flatten, recipients_of, sender_of
from .mime.message import Message
from .mime.rendering import Rendering
from .mime.row import Row
from .mime.transfer import Offer
from .tray import Tray
from .wire.capabilities import Capabilities
from .wire.content import Content, Section, Source

__all__ = ["Item", "check_items", "letter_of", "transaction_of"]

#: What can be sent.
Item: TypeAlias = Message | EmailMessage | tuple[Envelope, Source]


T = TypeVar("T")


def check_items(items: T) -> T:
    """Accept what gives items, one after the other.

    Raises:
        BadValue: it is one item, whose parts would be taken for items, or gives nothing at all.
    """
    if isinstance(items, (Message, EmailMessage)) or _is_finished(items):
        raise BadValue("items", "expected many, and this is one message; put it into a list")
    is_iterable = hasattr(items, "__iter__") or hasattr(items, "__getitem__")
    if isinstance(items, (str, bytes)) or not is_iterable:
        hint = "; AsyncSMTPS takes that" if isinstance(items, AsyncIterable) else ""
        raise BadValue(
            "items", f"expected messages one after the other, not {type(items).__name__}{hint}"
        )
    return items


def _is_finished(item: object) -> TypeGuard[tuple[Envelope, Any]]:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Envelope)


def transaction_of(
    item: Item | Transaction,
    sender: str | None = None,
    recipients: Iterable[str | Recipient] | None = None,
    *,
    everyone: bool = False,
) -> Transaction:
    """Make the transaction for an item.

    Args:
        sender: the envelope's sender, in place of the item's.
        recipients: the envelope's recipients, in place of the item's.
        everyone: whether the message goes to all of them or to nobody.

    Raises:
        BadValue, AddressError: it cannot be sent as it is; nothing was.
    """
    if isinstance(item, Transaction):
        # A queue knows more of a message than an item says.
        return item
    content: Content | Callable[[Capabilities], Content]
    message_id: str | None = None
    if isinstance(item, Message):
        envelope = _override(item.envelope, sender, recipients)
        content = _composer(item, envelope.smtputf8)
        message_id = item.message_id
    elif isinstance(item, EmailMessage):
        envelope = Envelope(
            sender_of(item) if sender is None else sender,
            recipients_of(item) if recipients is None else _all_of(recipients),
        )
        content = Content(flatten(item, utf8=envelope.smtputf8))
        if item["Message-ID"] is not None:
            message_id = str(item["Message-ID"]).strip()
    elif _is_finished(item):
        envelope = _override(item[0], sender, recipients)
        content = Content(item[1])
    else:
        raise BadValue(
            "item", f"expected a message or (Envelope, content), not {type(item).__name__}"
        )
    required = range(len(envelope.recipients)) if everyone else ()
    return Transaction(envelope, content, required=required, message_id=message_id)


def letter_of(item: Item, index: int, capabilities: Capabilities) -> Letter | None:
    """Make the letter of a message that is composed in memory; of others nothing is said.

    Raises:
        BadValue, AddressError: as `transaction_of`.
    """
    if not isinstance(item, Message):
        return None
    if isinstance(item, Row):
        filled = item.filled(capabilities.eight_bit_mime)
        if filled is not None:
            return Letter(index, filled.envelope, filled, filled.message_id)
    envelope = item.envelope
    whole = item.rendering(_offer(capabilities, envelope.smtputf8)).in_memory
    return None if whole is None else Letter(index, envelope, whole, item.message_id)


class _Composed(Content):
    """The content of a `Message` with files that are read while it is sent."""

    __slots__ = ("_rendering",)

    def __init__(self, rendering: Rendering) -> None:
        super().__init__(b"")
        self._rendering = rendering
        self.whole = None
        self.size = rendering.size
        self.eight_bit = rendering.eight_bit

    @property
    def binary(self) -> bool:
        """Whether files go as they are."""
        return self._rendering.binary

    @property
    def can_repeat(self) -> bool:
        """Whether it can be read again."""
        return self._rendering.can_repeat

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece; files are read as it goes."""
        yield from self._rendering.chunks()

    def pour(self, tray: Tray) -> Iterator[None]:
        """Put the content into a tray; files are encoded there as they are read."""
        return self._rendering.pour(tray)

    def sections(self) -> Iterator[Section]:
        """Give the whole as one part."""
        yield Section(self.size, self.chunks())


# By whether the server takes bytes above 127, any bytes, and UTF-8 in headers.
_OFFERS = {offer: Offer(*offer) for offer in product((False, True), repeat=3)}


def _offer(capabilities: Capabilities, utf8: bool) -> Offer:
    # RFC 3030 3: what is binary goes by BDAT alone.
    binary = capabilities.binarymime and capabilities.chunking
    return _OFFERS[capabilities.eight_bit_mime, binary, utf8]


def _composer(message: Message, utf8: bool) -> Callable[[Capabilities], Content]:
    """Give a function that composes a message in the encodings that a server takes."""

    def compose(capabilities: Capabilities) -> Content:
        rendering = message.rendering(_offer(capabilities, utf8))
        whole = rendering.in_memory
        return _Composed(rendering) if whole is None else Content(whole)

    return compose


def _all_of(recipients: str | Recipient | Iterable[str | Recipient]) -> Any:
    """Give recipients as an `Envelope` takes and checks them."""
    if isinstance(recipients, (str, bytes)) or not isinstance(recipients, Iterable):
        return recipients
    return tuple(recipients)


def _override(
    envelope: Envelope, sender: str | None, recipients: Iterable[str | Recipient] | None
) -> Envelope:
    if sender is None and recipients is None:
        return envelope
    return Envelope(
        envelope.sender if sender is None else sender,
        envelope.recipients if recipients is None else _all_of(recipients),
        smtputf8=envelope.smtputf8 or None,
        ret=envelope.ret,
        envid=envelope.envid,
        requiretls=envelope.requiretls,
        deliver_by=envelope.deliver_by,
        priority=envelope.priority,
    )
