"""One message of the library's own: an envelope and its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..envelope import Envelope
from ..errors import TooLarge
from ..wire.capabilities import Capabilities
from ..wire.commands import build_command
from ..wire.content import Content
from ..wire.transaction import mail_command, rcpt_command
from .progress import Progress

__all__ = ["Transaction"]


class Transaction(Progress):
    """An envelope and its content on their way.

    Args:
        required: the recipients, by place, whose refusal stops the message for all.
        content: the message, or a function that makes it for what a server offers; its encoding may
            depend on that.
        index: the place of the message in the caller's input.
        verb: what opens the transaction; SEND, SOML and SAML are those of RFC 821.
        rcpt_options: parameters of RCPT as the program wrote them, by the place of the recipient;
            sent where DSN is offered.
    """

    __slots__ = (
        *("_content", "_make_content", "envelope", "final_replies", "handed_over", "index"),
        *("message_id", "rcpt_options", "rcpt_replies", "required", "verb"),
    )

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
        super().__init__(
            envelope.sender,
            envelope.addresses,
            required=required,
            message_id=message_id,
            index=index,
        )
        self.envelope = envelope
        self._content: Content | None = None
        self._make_content: Callable[[Capabilities], Content] | None = None
        if isinstance(content, Content):
            self._content = content
        else:
            self._make_content = content
        self.verb = verb
        self.rcpt_options = rcpt_options or {}

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
        """Whether its commands are not those of any other message, or wait for its recipients."""
        # The refusal of the only recipient stops a message in any case.
        waits = self.required and len(self.addresses) > 1
        return bool(waits or self.rcpt_options) or self.verb != "MAIL FROM"

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
        if content.binary:
            body = "BINARYMIME"
        elif capabilities.eight_bit_mime and content.eight_bit is not False:
            body = "8BITMIME"
        return mail_command(self.envelope, capabilities, size=size, body=body, verb=self.verb)

    def rcpts(self, capabilities: Capabilities) -> list[bytes]:
        """Build one RCPT for each recipient."""
        options = self.rcpt_options if capabilities.dsn else {}
        if self.envelope.is_plain and not options:
            return [build_command(f"RCPT TO:<{address}>") for address in self.addresses]
        utf8 = self.envelope.smtputf8
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
        return [self.addresses[place] for place in self.rcpt_options]
