"""The state of one SMTP session: what was asked, what was answered, what the server offers.

It does no I/O. Bytes go in by `receive`, replies come out in the order of the commands that they
answer, and anything that answers no command ends the session: whoever goes on after that pairs a
reply with the wrong command.
"""

from __future__ import annotations

import sys
from collections import deque
from time import monotonic

from .codec import ReplyParser
from .enumerations import Protocol
from .errors import ConnectionLost, ProtocolError
from .events import PITrail
from .meter import Meter
from .ops import Connected, Deadline, TLSInfo
from .phase import Phase
from .properties import ConnectionProperties
from .reply import Reply
from .tokens import TokenSource
from .watching import Operation, tell_closed
from .wire.capabilities import Capabilities

__all__ = ["Session"]

# RFC 5321 4.5.3.2.6: ten minutes, because giving up early makes a second copy.
_FINAL_SECONDS = 600.0


class Session:
    """One session from connect to close; the same object serves the next one after `reset`."""

    def __init__(self, options: ConnectionProperties) -> None:
        self.options = options
        #: The events that have a listener; what costs more than a word is made for those only.
        self.heard: frozenset[type] = frozenset()
        #: A moment of `time.monotonic` by which the running method must be done.
        self.until: float | None = None
        self.last_reply: Reply | None = None
        self.tls: TLSInfo | None = None
        #: "OK" or why the server's certificate was not trusted; empty before the first handshake.
        self.certificate_status = ""
        #: Held so that connections with the same provider find the same source.
        self.tokens: TokenSource | None = None
        #: The most messages that the program sends over one connection, if there is a limit.
        self.most_messages: int | None = None
        #: The same, as learned from how the server ended earlier connections.
        self.most_learned: int | None = None
        #: For those who watch: what is being done, since when a connection is up, what broke it.
        self.operation: Operation | None = None
        self.since: float | None = None
        self.ended_by: BaseException | None = None
        #: Where the time goes, if somebody wants to know.
        self.meter = Meter()
        self.reset()

    def reset(self) -> None:
        """Forget everything about the connection; the certificate stays until the next one."""
        if self.since is not None:
            tell_closed(self)
        self.connected = False
        #: Whether every command is answered and no transaction is open.
        self.resting = False
        self.local: Connected | None = None
        #: The layers of the connection that are up, the outermost first, as ConnectionStatus has
        #: them: Firewall, Remote, Secure.
        self.layers: list[str] = []
        #: Whether a command of the program may have left a transaction open.
        self.touched = False
        self.capabilities = Capabilities()
        #: Whether the user logged in and the server was not asked since what it offers.
        self.may_offer_more = False
        #: How many transactions were begun.
        self.transactions = 0
        #: Whether the program words what is sent, and alone knows how many replies come to it.
        self.free = False
        #: To which domains, where the server takes few of them. RFC 9422, section 4.3.
        self.domains: set[str] = set()
        self._awaited: deque[Phase] = deque()
        self._replies: deque[Reply] = deque()
        self._parser = ReplyParser(self.options.settings.max_line_length)
        #: Whether the server said that it closes, or RSET failed; nothing more is sent.
        self.over = False
        #: A 421 that came behind the awaited replies: the server closes, out of turn but in order.
        self.farewell: Reply | None = None

    @property
    def is_lmtp(self) -> bool:
        """Whether LMTP is spoken: LHLO, and one final reply for each recipient. RFC 2033."""
        return self.options.protocol is Protocol.LMTP

    @property
    def is_verified(self) -> bool:
        """Whether there is TLS, with a certificate that passed without an exception."""
        return self.tls is not None and self.certificate_status == "OK"

    @property
    def most_transactions(self) -> int:
        """How many transactions this connection may carry in all. RFC 9422, section 4.1."""
        limits = (self.most_messages, self.most_learned, self.capabilities.limits.mail)
        return min((limit for limit in limits if limit is not None), default=sys.maxsize)

    @property
    def room(self) -> int:
        """How many more transactions this connection may carry."""
        return max(0, self.most_transactions - self.transactions)

    @property
    def trail(self) -> bool:
        """Whether PITrail has a listener; without one no line is copied for it."""
        return PITrail in self.heard

    # --- deadlines --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the clock of a method: `absolute_timeout` bounds all of it."""
        options = self.options
        bounded = options.settings.absolute_timeout and options.timeout
        self.until = monotonic() + options.timeout if bounded else None
        self._usual = self._limit(options.timeout or None)
        self._final: Deadline | None = None

    def deadline(self, phase: Phase) -> Deadline:
        """Tell how long an operation of this phase may take. RFC 5321, section 4.5.3.2."""
        if phase is Phase.FINAL:
            self._final = self._final or self._limit(self._final_seconds())
            return self._final
        if phase is Phase.CONNECT and self.options.settings.connection_timeout:
            return self._limit(self.options.settings.connection_timeout)
        if phase is Phase.QUIT:
            quit_seconds = self.options.settings.quit_timeout or self.options.timeout
            return self._limit(min(quit_seconds, self.options.timeout or quit_seconds))
        return self._usual

    def _limit(self, idle: float | None) -> Deadline:
        return Deadline(idle, self.until, None if self.until is None else self.options.timeout)

    def _final_seconds(self) -> float | None:
        options = self.options
        if options.settings.final_timeout:
            return options.settings.final_timeout
        chosen = type(options).timeout.is_set(options)
        return (options.timeout or None) if chosen else _FINAL_SECONDS

    # --- commands and their replies ---------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The phase of the oldest command that is not answered."""
        return self._awaited[0] if self._awaited else Phase.IDLE

    @property
    def awaits(self) -> int:
        """How many replies are still to come."""
        return len(self._awaited) - len(self._replies)

    @property
    def untaken(self) -> int:
        """How many commands have no reply that was taken."""
        return len(self._awaited)

    @property
    def has_more(self) -> bool:
        """Whether something of the server is here that was not taken, be it part of a reply."""
        return bool(self._replies) or self._parser.pending

    def expect(self, *phases: Phase) -> None:
        """Note commands about to be written; each will be answered by one reply.

        Raises:
            ProtocolError: bytes of the server are here that answer nothing.
            ConnectionLost: the server announced that it closes.
        """
        if not self._awaited:
            self.refuse_unasked(phases[0])
        self._awaited.extend(phases)

    def receive(self, data: bytes) -> None:
        """Take bytes of the server.

        Raises:
            ProtocolError: they are not a reply, or one more than was asked for.
            ConnectionLost: the server closed (`data` is empty).
        """
        if not data:
            raise ConnectionLost(phase=self.phase, reply=self.farewell)
        for reply in self._feed(data):
            if self.free and self.awaits == 0:
                self._awaited.append(Phase.COMMAND)
            if self.awaits > 0:
                self._replies.append(reply)
            elif reply.code == 421 and self.farewell is None:
                self.farewell = reply
                self.over = True
            else:
                raise ProtocolError(
                    f"an unasked reply arrived: {reply}", phase=self.phase, reply=reply
                )

    def _feed(self, data: bytes) -> list[Reply]:
        try:
            return self._parser.feed(data)
        except ProtocolError as error:
            error.at(self.phase)
            raise

    def take(self) -> Reply | None:
        """Take the reply to the oldest command, if it is here.

        Raises:
            ProtocolError: what is here in its place is no reply.
        """
        if not self._replies:
            if self._parser.pending:
                # Nonsense that came along with good replies is held until they are taken.
                self._feed(b"")
            return None
        self._awaited.popleft()
        reply = self.last_reply = self._replies.popleft()
        return reply

    def refuse_unasked(self, phase: Phase) -> None:
        """Make sure that nothing of the server is waiting that no command asked for.

        After the 220 to STARTTLS such a byte was injected in clear text: RFC 3207, section 4.2.

        Raises:
            ProtocolError: there are bytes.
            ConnectionLost: the server announced that it closes.
        """
        if self.farewell is not None:
            raise ConnectionLost(
                "the server is closing the connection", phase=phase, reply=self.farewell
            )
        if self.has_more:
            raise ProtocolError("the server sent bytes that nothing asked for", phase=phase)
