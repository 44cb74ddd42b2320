"""One message on its way among many, and the receipts that it can end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from .envelope import Envelope
from .errors import (
    BadValue,
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

if TYPE_CHECKING:
    from ._pure.forms import Filled

__all__ = ["Letter", "Remainder", "is_crowded", "nul_in"]


def is_crowded(reply: Reply) -> bool:
    """Whether a recipient was refused only because there were enough before it.

    RFC 5321, section 4.5.3.1.10: the others can be sent to in another transaction.
    """
    # 452 without more can also be a full disk; once more does no harm. Some say 552 instead.
    return (reply.code, reply.enhanced) in ((452, None), (452, "4.5.3"), (552, "5.5.3"))


def nul_in(content: bytes) -> BadValue:
    """Say where content holds a NUL."""
    # OpenSMTPD 6.8 takes "\r\n.\0\r\n" for the end of a message, and what follows for commands.
    place = content.index(b"\0")
    return BadValue(
        "content", f"a NUL at byte {place}, which mail cannot carry; encode that part as base64"
    )


class Letter(NamedTuple):
    """A finished message in memory, and its place in the caller's input (`number`).

    In each method `refusals` are the replies to recipients that were refused by name, by their
    place in the envelope.
    """

    number: int
    envelope: Envelope
    content: bytes | Filled
    message_id: str | None = None

    @property
    def whole(self) -> bytes:
        """The content, put together if it is not yet."""
        content = self.content
        return content if isinstance(content, bytes) else content.whole()

    def taken(self, refusals: Mapping[int, Reply], reply: Reply) -> Receipt:
        """The server took it for everyone whom it did not refuse."""
        if refusals:
            return self._receipt(refusals, Outcome.ACCEPTED, reply)
        envelope = self.envelope
        return Receipt.of_taken(
            self.number, self.message_id, envelope.sender, envelope.addresses, reply
        )

    def crowded_out(self, refusals: Mapping[int, Reply]) -> tuple[int, ...]:
        """Give the places of those for whom it may go again, now that it was taken for others."""
        return tuple(place for place, reply in sorted(refusals.items()) if is_crowded(reply))

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


class Remainder(NamedTuple):
    """A message that was taken for some, and goes again for those at `places`, and no others."""

    letter: Letter
    #: What the server said of everyone at first.
    receipt: Receipt
    places: tuple[int, ...]

    def joined(self, rest: Receipt) -> Receipt:
        """Make one receipt, now that it is known what became of the rest."""
        results = list(self.receipt.results)
        for place, result in zip(self.places, rest.results, strict=True):
            results[place] = result
        first = self.receipt
        error = None if isinstance(rest.error, RecipientsRefused) else rest.error
        return Receipt(
            first.index, first.message_id, first.sender, tuple(results), first.reply, error
        )
