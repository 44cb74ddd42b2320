"""How one message is sent and how far it is: its commands, the replies so far, how it can end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from ..errors import (
    DeliveryUnknown,
    MessageRefused,
    ProtocolError,
    ServiceClosing,
    SessionError,
    SMTPSError,
)
from ..phase import Phase
from ..receipt import Outcome, Receipt, outcome_of
from ..reply import Reply
from ..wire.capabilities import Capabilities
from ..wire.content import Content

__all__ = ["Progress"]


class Progress(ABC):
    """What `deliver` asks of a message, and notes of it.

    Args:
        sender: the sender's address, as receipts and errors name it.
        addresses: those of the recipients.
        required: the recipients, by place, whose refusal stops the message for all.
        index: the place of the message in the caller's input.
    """

    def __init__(
        self,
        sender: str,
        addresses: Sequence[str],
        *,
        required: Iterable[int] = (),
        message_id: str | None = None,
        index: int = 0,
    ) -> None:
        self.sender = sender
        self.addresses = addresses
        self.required = frozenset(required)
        self.message_id = message_id
        self.index = index
        #: The reply to MAIL, once it came.
        self.mail_reply: Reply | None = None
        #: The replies to RCPT, in the order of the envelope, as far as they came.
        self.rcpt_replies: list[Reply] = []
        #: The last replies of LMTP, one for each recipient that was accepted.
        self.final_replies: list[Reply] = []
        #: Whether the end of the content was written, so that the server may act on it.
        self.handed_over = False

    @property
    @abstractmethod
    def content(self) -> Content:
        """The message: as `mail` made it, before that as any server takes it."""

    @abstractmethod
    def mail(self, capabilities: Capabilities) -> bytes:
        """Build MAIL for a server.

        Raises:
            NotOffered, AddressError: the server lacks what the envelope needs.
            TooLarge: the content is larger than the server takes. RFC 1870, section 6.
        """

    @abstractmethod
    def rcpts(self, capabilities: Capabilities) -> list[bytes]:
        """Build one RCPT for each recipient."""

    def note(self, replies: Sequence[Reply]) -> None:
        """Take the replies to MAIL and to each RCPT, as far as they came, and whatever follows."""
        if replies:
            self.mail_reply = replies[0]
            # Behind another positive code the two sides are out of step.
            if self.mail_reply.code < 300:
                self.rcpt_replies = list(replies[1 : 1 + len(self.addresses)])

    @property
    def any_accepted(self) -> bool:
        """Whether the server took at least one recipient."""
        return any(reply.positive for reply in self.rcpt_replies)

    @property
    def accepted_count(self) -> int:
        """How many recipients the server took."""
        return sum(reply.positive for reply in self.rcpt_replies)

    @property
    def refused(self) -> dict[str, Reply]:
        """The recipients that were refused so far, each with the server's words."""
        return {
            address: reply
            for address, reply in zip(self.addresses, self.rcpt_replies, strict=False)
            if not reply.positive
        }

    @property
    def required_refused(self) -> dict[str, Reply]:
        """Those among the refused whose refusal stops the message."""
        required = {self.addresses[place] for place in self.required}
        return {address: reply for address, reply in self.refused.items() if address in required}

    # --- endings ----------------------------------------------------------------------------------

    def taken(self, reply: Reply) -> Receipt:
        """The server answered the end of the content, and so decided for all it had accepted."""
        if reply.positive and all(rcpt.positive for rcpt in self.rcpt_replies):
            addresses = tuple(self.addresses)
            return Receipt.of_taken(self.index, self.message_id, self.sender, addresses, reply)
        return self._receipt(outcome_of(reply), reply)

    def decided(self) -> Receipt:
        """The server answered the end of the content for each recipient that it had accepted."""
        finals = self.final_replies
        error = None if any(reply.positive for reply in finals) else MessageRefused(finals[0])
        return self._receipt(Outcome.UNKNOWN, finals[0] if len(finals) == 1 else None, error)

    def stopped(self, error: SMTPSError, reply: Reply | None = None) -> Receipt:
        """The transaction ended before the content was handed over.

        Args:
            reply: a refusal that holds for every recipient; without one, those not refused by
                name were simply not sent to.
        """
        outcome = Outcome.NOT_SENT if reply is None else outcome_of(reply)
        return self._receipt(outcome, reply, error)

    def broken(self, error: SessionError | ServiceClosing) -> Receipt:
        """The session ended in the middle of the transaction."""
        reply = error.reply
        # What an error of the protocol quotes answers nothing that was asked.
        spoken = reply is not None and not isinstance(error, ProtocolError)
        if spoken and error.phase in (Phase.CONTENT, Phase.FINAL):
            assert reply is not None
            # 421 to the end of the content is an answer; before it, the message was not read.
            if not reply.positive and (self.handed_over or reply.code != 421):
                error.retryable = reply.temporary
                return self._receipt(outcome_of(reply), reply, error)
        if self.handed_over:
            unknown = DeliveryUnknown(error)
            unknown.__cause__ = error
            return self._receipt(Outcome.UNKNOWN, None, unknown)
        return self._receipt(Outcome.NOT_SENT, reply, error)

    def _receipt(
        self, outcome: Outcome, reply: Reply | None, error: SMTPSError | None = None
    ) -> Receipt:
        own_replies: dict[int, Reply] = {}
        finals = iter(self.final_replies)
        for place, reply_to_rcpt in enumerate(self.rcpt_replies):
            own = next(finals, None) if reply_to_rcpt.positive else reply_to_rcpt
            if own is not None:
                own_replies[place] = own
        return Receipt.of_decided(
            self.index,
            self.message_id,
            self.sender,
            self.addresses,
            own_replies,
            outcome,
            reply,
            error,
        )
