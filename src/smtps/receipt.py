"""What became of a message: one outcome for each of its recipients."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .errors import DeliveryUnknown, MessageRefused, RecipientsRefused, SMTPSError
from .reply import Reply

__all__ = ["Outcome", "Receipt", "RecipientResult"]


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


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """What became of one recipient, and the reply that says so."""

    address: str
    outcome: Outcome
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message."""

    #: The place of the message in the input of `send_many`; 0 for a single one.
    index: int
    #: The Message-ID, where it is known.
    message_id: str | None
    sender: str
    results: tuple[RecipientResult, ...]
    #: The reply that decided over the message as a whole.
    reply: Reply | None = None
    #: Why the message did not reach every recipient.
    error: SMTPSError | None = None

    @property
    def ok(self) -> bool:
        """Whether every recipient was accepted."""
        return all(result.outcome is Outcome.ACCEPTED for result in self.results)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The addresses for which the server took the message."""
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
