"""What became of a message: one outcome for each of its recipients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from .errors import DeliveryUnknown, MessageRefused, RecipientsRefused, SMTPSError
from .reply import Reply

__all__ = ["Outcome", "Receipt", "RecipientResult", "outcome_of"]


class Outcome(Enum):
    """What is known about one recipient. Nothing is ever guessed."""

    #: The server took the message for this recipient.
    ACCEPTED = "accepted"
    #: The server said no for good (5xx).
    REFUSED = "refused"
    #: The server said not now (4xx).
    DEFERRED = "deferred"
    #: The message surely did not reach the server; it can be sent again without doubling.
    NOT_SENT = "not sent"
    #: The message was handed over and the answer was lost.
    UNKNOWN = "unknown"


def outcome_of(reply: Reply) -> Outcome:
    """Tell what a reply means for those whom it concerns."""
    if reply.positive:
        return Outcome.ACCEPTED
    return Outcome.DEFERRED if reply.temporary else Outcome.REFUSED


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What became of one recipient, and the reply that says so."""

    address: str
    outcome: Outcome
    reply: Reply | None = None


class Receipt:
    """What became of one message. It never changes.

    Args:
        index: the place of the message in the input of `send_many`; 0 for a single one.
        message_id: the Message-ID; None for finished content, which is not looked into for it.
        results: one for each recipient, in the order of the envelope.
        reply: the reply that decided over the message as a whole.
        error: why the message did not reach every recipient.
    """

    # Nearly all are of messages that were taken for every recipient, and are made by the million:
    # of those `_results` are the bare addresses, and become results when somebody asks.
    __slots__ = ("_results", "error", "index", "message_id", "reply", "sender")

    index: int
    message_id: str | None
    sender: str
    _results: tuple[RecipientResult, ...] | tuple[str, ...]
    reply: Reply | None
    error: SMTPSError | None

    def __init__(
        self,
        index: int,
        message_id: str | None,
        sender: str,
        results: tuple[RecipientResult, ...],
        reply: Reply | None = None,
        error: SMTPSError | None = None,
    ) -> None:
        _set_index(self, index)
        _set_message_id(self, message_id)
        _set_sender(self, sender)
        _set_results(self, results)
        _set_reply(self, reply)
        _set_error(self, error)

    @classmethod
    def of_taken(
        cls,
        index: int,
        message_id: str | None,
        sender: str,
        addresses: tuple[str, ...],
        reply: Reply,
    ) -> Receipt:
        """Make the receipt of a message that the server took for every recipient."""
        receipt = cls.__new__(cls)
        _set_index(receipt, index)
        _set_message_id(receipt, message_id)
        _set_sender(receipt, sender)
        _set_results(receipt, addresses)
        _set_reply(receipt, reply)
        _set_error(receipt, None)
        return receipt

    @classmethod
    def of_decided(
        cls,
        index: int,
        message_id: str | None,
        sender: str,
        addresses: Sequence[str],
        refusals: Mapping[int, Reply],
        outcome: Outcome,
        reply: Reply | None,
        error: SMTPSError | None = None,
    ) -> Receipt:
        """Make the receipt of a message whose recipients had one outcome, but for some.

        Args:
            refusals: the replies that are of one recipient alone, by their place: refusals, and
                final replies of LMTP.
            outcome: what became of the others, which `reply` says.
        """
        results = tuple(
            RecipientResult(address, outcome_of(refusals[place]), refusals[place])
            if place in refusals
            else RecipientResult(address, outcome, reply)
            for place, address in enumerate(addresses)
        )
        return cls(index, message_id, sender, results, reply, error)

    @property
    def results(self) -> tuple[RecipientResult, ...]:
        """What became of each recipient, in the order of the envelope."""
        results = self._results
        if results and type(results[0]) is str:
            reply = self.reply
            results = tuple(
                RecipientResult(str(address), Outcome.ACCEPTED, reply) for address in results
            )
            _set_results(self, results)
        return cast("tuple[RecipientResult, ...]", results)

    @property
    def ok(self) -> bool:
        """Whether every recipient was accepted."""
        results = self._results
        if results and type(results[0]) is str:
            return True
        # A message that could not even be made has no recipients.
        return bool(results) and all(result.outcome is Outcome.ACCEPTED for result in self.results)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The addresses for which the server took the message."""
        results = self._results
        if results and type(results[0]) is str:
            return tuple(map(str, results))
        return self._having(Outcome.ACCEPTED)

    @property
    def refused(self) -> tuple[str, ...]:
        """The addresses that the server refused for good."""
        return self._having(Outcome.REFUSED)

    @property
    def deferred(self) -> tuple[str, ...]:
        """The addresses that may be tried again later."""
        return self._having(Outcome.DEFERRED)

    @property
    def not_sent(self) -> tuple[str, ...]:
        """The addresses that the message surely did not reach; sending again doubles nothing."""
        return self._having(Outcome.NOT_SENT)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The addresses for which the final reply was lost."""
        return self._having(Outcome.UNKNOWN)

    def raise_for_status(self) -> None:
        """Raise the error of this receipt, unless every recipient was accepted.

        Raises:
            SMTPSError: what went wrong; its `receipt` is this one.
        """
        if self.ok:
            return
        error = self.error or self._refusal()
        error.receipt = self
        raise error

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot set {name}: a receipt does not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete {name}: a receipt does not change")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Receipt):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((self.index, self.sender, self.results))

    def __repr__(self) -> str:
        names = ("index", "message_id", "sender", "results", "reply", "error")
        pairs = zip(names, self._fields(), strict=True)
        return f"Receipt({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Receipt, self._fields()

    def _fields(self) -> tuple[Any, ...]:
        return self.index, self.message_id, self.sender, self.results, self.reply, self.error

    def _having(self, outcome: Outcome) -> tuple[str, ...]:
        return tuple(result.address for result in self.results if result.outcome is outcome)

    def _refusal(self) -> SMTPSError:
        """Build the error for a message that went out to some recipients only."""
        if self.unknown:
            return DeliveryUnknown(SMTPSError(1120, "the final reply was lost"))
        refused = {
            result.address: result.reply
            for result in self.results
            if result.reply is not None and result.outcome is not Outcome.ACCEPTED
        }
        if refused:
            return RecipientsRefused(refused)
        if self.reply is not None:
            return MessageRefused(self.reply)
        return SMTPSError(161, "the message was not sent")


_set_index = Receipt.__dict__["index"].__set__
_set_message_id = Receipt.__dict__["message_id"].__set__
_set_sender = Receipt.__dict__["sender"].__set__
_set_results = Receipt.__dict__["_results"].__set__
_set_reply = Receipt.__dict__["reply"].__set__
_set_error = Receipt.__dict__["error"].__set__
