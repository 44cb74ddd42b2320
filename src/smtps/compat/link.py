"""The engine on a socket of the program's: dialogues in, answers or smtplib's exceptions out."""

from __future__ import annotations

import socket
from smtplib import SMTPServerDisconnected
from typing import TypeVar

from ..dialogue.delivery import deliver
from ..dialogue.stepwise import hear, say
from ..drivers.lent import LentDriver
from ..enumerations import Protocol
from ..errors import ProtocolError, SessionError, SMTPSError
from ..ops import Dialogue
from ..phase import Phase
from ..properties import ConnectionProperties
from ..session import Session
from ..settings import Settings
from ..wire.capabilities import Capabilities
from .letter import Letter
from .outcome import Answer, Refusals, answer_of, disconnected, refusals_of

__all__ = ["Link", "LONGEST_LINE"]

#: The most bytes that are kept of one line of a reply.
LONGEST_LINE = 8192

T = TypeVar("T")


class _Options(ConnectionProperties):
    """What the engine is to know; who connects and how long to wait is for smtplib's arguments."""

    def __init__(self, protocol: Protocol) -> None:
        self.settings = Settings()
        self.settings.max_line_length = LONGEST_LINE
        self.protocol = protocol
        self.timeout = 0


class Link:
    """One connection after the other, each on a socket that is lent for it."""

    def __init__(self, protocol: Protocol) -> None:
        self.options = _Options(protocol)
        self._session = Session(self.options)
        self._session.begin()
        self._driver = LentDriver(lambda _: None)
        self._lent: socket.socket | None = None

    @property
    def is_lmtp(self) -> bool:
        """Whether each recipient gets a final reply of its own. RFC 2033."""
        return self._session.is_lmtp

    def name_peer(self, host: str, port: object) -> None:
        """Note whom the next connection goes to, for TLS and for what is learned of servers."""
        self.options.mail_server = host
        self.options.mail_port = port if isinstance(port, int) and 0 < port < 65536 else 25

    def greeted(self, lines: list[str]) -> Capabilities:
        """Take what the server offers from the lines of its reply to EHLO, and give it."""
        self._session.capabilities = Capabilities.parse(lines)
        return self._session.capabilities

    def forget(self) -> None:
        """Let go of the socket, and of what the server said on it."""
        self._lent = None
        self._session.reset()

    def say(self, connection: socket.socket | None, data: bytes) -> None:
        """Send what the program worded.

        Raises:
            SMTPServerDisconnected: there is no connection, or no longer.
        """
        self._run(connection, say(self._session, data))

    def hear(self, connection: socket.socket | None) -> Answer | ProtocolError:
        """Wait for the next reply; what is none is given as the error, and ends the session.

        Raises:
            SMTPServerDisconnected: there is no connection, or no longer.
        """
        try:
            return answer_of(self._run(connection, hear(self._session)))
        except SMTPServerDisconnected as error:
            if isinstance(error.__cause__, ProtocolError):
                return error.__cause__
            raise

    def send(self, connection: socket.socket | None, letter: Letter) -> Refusals:
        """Deliver a message, and give the recipients that were refused.

        Raises:
            SMTPException: see `refusals_of`. The session may be over: `lasts` tells.
        """
        return refusals_of(letter, self._run(connection, deliver(self._session, letter)))

    @property
    def lasts(self) -> bool:
        """Whether the session can go on behind a message."""
        return self._session.resting

    @property
    def pipelines(self) -> bool:
        """Whether the server takes commands before it has answered earlier ones. RFC 2920."""
        return self._session.capabilities.pipelining

    def refuse_unasked(self, phase: Phase) -> None:
        """Make sure that the server said nothing that is still to be read.

        Raises:
            SMTPServerDisconnected: it did.
        """
        try:
            self._session.refuse_unasked(phase)
        except SessionError as error:
            raise disconnected(error) from error

    def _run(self, connection: socket.socket | None, dialogue: Dialogue[T]) -> T:
        if connection is None:
            raise SMTPServerDisconnected("please run connect() first")
        if connection is not self._lent:
            self._session.reset()
            self._driver.lend(connection)
            self._lent = connection
        try:
            return self._driver.run_on(connection, dialogue)
        except SMTPSError as error:
            raise disconnected(error) from error
