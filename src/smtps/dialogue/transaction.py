"""One message on its way: what is to be sent, and what is known of each recipient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..envelope import Envelope
from ..errors import (
    DeliveryUnknown,
    MessageRefused,
    ProtocolError,
    ServiceClosing,
    SessionError,
    SMTPSError,
    TooLarge,
)
from ..phase import Phase
from ..receipt import Outcome, Receipt, outcome_of
from ..reply import Reply
from ..wire.capabilities import Capabilities
from ..wire.content import Content
from ..wire.transaction import mail_command, rcpt_command

__all__ = ["Transaction"]


class Transaction:
    """An envelope, its content, and the outcomes so far.

    Args:
        required: the recipients, by place, whose refusal stops the message for all.
        content: the message, or a function that makes it for what a server offers; its encoding may
            depend on that.
        index: the place of the message in the caller's input.
        verb: what opens the transaction; SEND, SOML and SAML are those of RFC 821.
        rcpt_options: parameters of RCPT as the program wrote them, by the place of the recipient;
            sent where DSN is offered.
    """

    def __init__(
        self,
        envelope: Envelope,
        content: Content | Callable[[Capabilities], Content],
        *,
        required: Iterable[int] = (),
        message_id: str | None = None,
        index: int = 0,
        verb: str = "MAIL FROM",
        rcpt_options: Mapping[int, str] | None = None,
    ) -> None:
        self.envelope = envelope
        self._content: Content | None = None
        self._make_content: Callable[[Capabilities], Content] | None = None
        if isinstance(content, Content):
            self._content = content
        else:
            self._make_content = content
        self.required = frozenset(required)
        self.message_id = message_id
        self.index = index
        self.verb = verb
        self.rcpt_options = rcpt_options or {}
        #: The replies to RCPT, in the order of the envelope, as far as they came.
        self.rcpt_replies: list[Reply] = []
        #: The last replies of LMTP, one for each recipient that was accepted.
        self.final_replies: list[Reply] = []
        #: Whether the end of the content was written, so that the server may act on it.
        self.handed_over = False

    @property
    def content(self) -> Content:
        """The message: as `mail` made it, before that as any server takes it."""
        if self._content is None:
            assert self._make_content is not None
            self._content = self._make_content(Capabilities())
        return self._content

    def compose(self, capabilities: Capabilities) -> Content:
        """Make the content for a server, if it depends on that, and give it."""
        if self._make_content is not None:
            self._content = self._make_content(capabilities)
        return self.content

    @property
    def is_special(self) -> bool:
        """Whether its commands are not those of any other message."""
        return bool(self.required or self.rcpt_options) or self.verb != "MAIL FROM"

    def close(self) -> None:
        """Let go of what was opened for the content."""
        if self._content is not None:
            self._content.close()

    def mail(self, capabilities: Capabilities) -> bytes:
        """Build MAIL for a server.

        Raises:
            NotOffered, AddressError: the server lacks what the envelope needs.
            TooLarge: the content is larger than the server takes. RFC 1870, section 6.
        """
        content = self.compose(capabilities)
        size, limit = content.size, capabilities.size
        if size is not None and limit and size > limit:
            raise TooLarge(size, limit)
        body = None
        if capabilities.eight_bit_mime and content.eight_bit is not False:
            body = "8BITMIME"
        return mail_command(self.envelope, capabilities, size=size, body=body, verb=self.verb)

    def rcpts(self, capabilities: Capabilities) -> list[bytes]:
        """Build one RCPT for each recipient."""
        utf8 = self.envelope.smtputf8
        options = self.rcpt_options if capabilities.dsn else {}
        return [
            rcpt_command(recipient, capabilities, utf8=utf8, options=options.get(place, ""))
            for place, recipient in enumerate(self.envelope.recipients)
        ]

    def portion(self, places: Sequence[int], content: Content | None = None) -> Transaction:
        """Make the transaction for some of the recipients.

        Args:
            content: the content as an earlier portion made it.
        """
        envelope, same = self.envelope, content or self._content or self._make_content
        assert same is not None
        return Transaction(
            Envelope(
                envelope.sender,
                [envelope.recipients[place] for place in places],
                smtputf8=envelope.smtputf8,
                ret=envelope.ret,
                envid=envelope.envid,
                requiretls=envelope.requiretls,
                deliver_by=envelope.deliver_by,
                priority=envelope.priority,
            ),
            same,
            required=[own for own, place in enumerate(places) if place in self.required],
            message_id=self.message_id,
            index=self.index,
            verb=self.verb,
            rcpt_options={
                own: self.rcpt_options[place]
                for own, place in enumerate(places)
                if place in self.rcpt_options
            },
        )

    def omitted(self, capabilities: Capabilities) -> list[str]:
        """Name the recipients whose options this server cannot be told."""
        if capabilities.dsn:
            return []
        return [self.envelope.recipients[place].address for place in self.rcpt_options]

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
            recipient.address: reply
            for recipient, reply in zip(self.envelope.recipients, self.rcpt_replies, strict=False)
            if not reply.positive
        }

    @property
    def required_refused(self) -> dict[str, Reply]:
        """Those among the refused whose refusal stops the message."""
        required = {self.envelope.recipients[place].address for place in self.required}
        return {address: reply for address, reply in self.refused.items() if address in required}

    # --- endings ----------------------------------------------------------------------------------

    def taken(self, reply: Reply) -> Receipt:
        """The server answered the end of the content, and so decided for all it had accepted."""
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
            self.index, self.message_id, self.envelope, own_replies, outcome, reply, error
        )
