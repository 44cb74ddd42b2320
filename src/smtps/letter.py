"""One message on its way among many, and the receipts that it can end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .envelope import Envelope
from .errors import (
    DeliveryUnknown,
    MessageRefused,
    RecipientsRefused,
    SenderRefused,
    ServiceClosing,
    SMTPSError,
)
from .phase import Phase
from .receipt import Outcome, Receipt, outcome_of
from .reply import Reply

__all__ = ["Letter"]


class Letter(NamedTuple):
    """A finished message, whole in memory, and its place in the caller's input (`number`).

    In each method `refusals` are the replies to recipients that were refused by name, by their
    place in the envelope.
    """

    number: int
    envelope: Envelope
    content: bytes
    message_id: str | None = None

    def taken(self, refusals: Mapping[int, Reply], reply: Reply) -> Receipt:
        """The server took it for everyone whom it did not refuse."""
        if refusals:
            return self._receipt(refusals, Outcome.ACCEPTED, reply)
        envelope = self.envelope
        return Receipt.of_taken(
            self.number, self.message_id, envelope.sender, envelope.addresses, reply
        )

    def refused_early(self, mail: Reply | None, refusals: Mapping[int, Reply]) -> Receipt:
        """The server refused the sender, or every recipient.

        Args:
            mail: the reply to MAIL, if that was refused.
        """
        if mail is not None:
            error: SMTPSError = SenderRefused(self.envelope.sender, mail)
            return self._receipt({}, Outcome.NOT_SENT, None, error)
        addresses = self.envelope.addresses
        error = RecipientsRefused({addresses[place]: reply for place, reply in refusals.items()})
        return self._receipt(refusals, Outcome.NOT_SENT, None, error)

    def refused(self, refusals: Mapping[int, Reply], reply: Reply) -> Receipt:
        """The server refused the message itself."""
        error: SMTPSError = MessageRefused(reply)
        if reply.code == 421:
            error = ServiceClosing(reply, phase=Phase.FINAL)
        return self._receipt(refusals, outcome_of(reply), reply, error)

    def unknown(self, refusals: Mapping[int, Reply], cause: SMTPSError) -> Receipt:
        """It was handed over, and the answer never came, or cannot be trusted."""
        error = DeliveryUnknown(cause)
        error.__cause__ = cause
        return self._receipt(refusals, Outcome.UNKNOWN, None, error)

    def unsent(self, error: SMTPSError) -> Receipt:
        """It surely did not reach the server."""
        return self._receipt({}, Outcome.NOT_SENT, error.reply, error)

    def _receipt(
        self,
        refusals: Mapping[int, Reply],
        outcome: Outcome,
        reply: Reply | None,
        error: SMTPSError | None = None,
    ) -> Receipt:
        sender, addresses = self.envelope.sender, self.envelope.addresses
        return Receipt.of_decided(
            self.number, self.message_id, sender, addresses, refusals, outcome, reply, error
        )
