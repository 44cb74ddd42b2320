"""The connection of `SMTP`, and single commands with their replies."""

from __future__ import annotations

import smtplib
import socket as _socket
import sys
from datetime import datetime
from smtplib import SMTPConnectError
from typing import TYPE_CHECKING, Any, ClassVar

from ..dialogue.opening import name_of
from ..drivers.names import own_name
from ..drivers.sockets import describe_connection
from ..enumerations import Protocol
from ..errors import ProtocolError
from .connecting import SourceAddress, check_timeout, connect_tcp, split_port
from .link import Link
from .outcome import Answer
from .wording import bare_address, command_line

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["DEFAULT_TIMEOUT", "Conversation"]

#: Stands for the timeout of `socket.setdefaulttimeout`.
DEFAULT_TIMEOUT: Any = _socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]


class Conversation(smtplib.SMTP):
    """A connection whose every byte is written and read by this package's engine.

    Of smtplib's own methods those are kept that only call others.
    """

    sock: _socket.socket | None = None
    file: Any = None
    debuglevel = 0
    _protocol: ClassVar[Protocol] = Protocol.SMTP

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        source_address: SourceAddress | None = None,
    ) -> None:
        self.timeout = timeout
        self.esmtp_features = {}
        self.command_encoding = "ascii"
        self.source_address = source_address
        self._auth_challenge_count = 0
        self._link = Link(self._protocol)
        #: The name that a certificate must bear; a program may set it before `connect`.
        self._host = ""
        self._connected_host = ""
        self._names_itself = local_hostname is None
        self._own_name = own_name() or "localhost" if local_hostname is None else local_hostname
        self.local_hostname = self._own_name
        if host:
            code, answer = self.connect(host, port)
            if code != 220:
                self.close()
                raise SMTPConnectError(code, answer)

    # --- the connection ---------------------------------------------------------------------------

    def connect(
        self,
        host: str = "localhost",
        port: int = 0,
        source_address: SourceAddress | None = None,
    ) -> Answer:
        """Connect and give the greeting; what was known of an earlier connection is forgotten.

        Args:
            host: a name or an address, or both with a port as `host:port`.

        Raises:
            OSError: there is no connection.
            SMTPServerDisconnected: the server closed it without a word.
        """
        if source_address:
            self.source_address = source_address
        host, port = split_port(host, port, self.default_port)
        sys.audit("smtplib.connect", self, host, port)
        self._leave()
        self._know(host)
        self.sock = self._get_socket(host, port, self.timeout)
        return self._greeted(host, port)

    def _get_socket(self, host: str, port: int, timeout: Any) -> Any:
        check_timeout(timeout)
        if self.debuglevel > 0:
            self._print_debug("connect: to", (host, port), self.source_address)
        return connect_tcp(self._link, host, port, timeout, self.source_address)

    def _know(self, host: str) -> None:
        """Note whom the connection is for, unless the program has said so."""
        if self._host in ("", self._connected_host):
            self._host = self._connected_host = host

    def _greeted(self, host: str, port: object) -> Answer:
        self._link.name_peer(host, port)
        answer = self.getreply()
        if self.debuglevel > 0:
            self._print_debug("connect:", repr(answer[1]))
        if self._names_itself and self.sock is not None:
            self._name_itself(self.sock)
        return answer

    def _name_itself(self, connection: _socket.socket) -> None:
        """Greet by this host's name, or by its address where it has none."""
        try:
            name = name_of(describe_connection(connection, own_name()))
        except OSError:
            return  # Whoever speaks next says what is wrong with it.
        if self.local_hostname == self._own_name:
            self.local_hostname = self._own_name = name

    def close(self) -> None:
        """Close the connection without a word."""
        connection, self.sock = self.sock, None
        self._link.forget()
        if connection is not None:
            connection.close()

    def _leave(self) -> None:
        """Forget the connection that is up, or was: with the next one, all begins anew."""
        self.close()
        self._forget_greeting()

    def _forget_greeting(self) -> None:
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    # --- commands and replies ---------------------------------------------------------------------

    def send(self, s: Buffer | str) -> None:
        """Send bytes as they are, or text in `command_encoding`.

        Raises:
            SMTPServerDisconnected: there is no connection, or no longer.
        """
        if self.debuglevel > 0:
            self._print_debug("send:", repr(s))
        self._write(s.encode(self.command_encoding) if isinstance(s, str) else bytes(s))

    def _write(self, data: bytes) -> None:
        if self.sock is not None:
            sys.audit("smtplib.send", self, data)
        try:
            self._link.say(self.sock, data)
        except BaseException:
            self.close()
            raise

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command.

        Raises:
            ValueError: it has a line end or another control character; nothing was sent.
        """
        text = f"{cmd} {args}" if args else cmd
        command_line(text, self.command_encoding)
        self.send(f"{text}\r\n")

    def getreply(self) -> Answer:
        """Wait for the next reply: its code, and its lines without the code.

        What is no reply, or one without end, has the code -1; the connection is closed behind it.

        Raises:
            SMTPServerDisconnected: there is none, since the connection is gone.
        """
        try:
            answer = self._link.hear(self.sock)
        except BaseException:
            self.close()
            raise
        if isinstance(answer, ProtocolError):
            self.close()
            answer = -1, str(answer).encode()
        if self.debuglevel > 0:
            self._print_reply(*answer)
        return answer

    def _print_reply(self, code: int, text: bytes) -> None:
        lines = text.split(b"\n")
        for number, line in enumerate(lines, 1):
            mark = "-" if number < len(lines) else " "
            self._print_debug("reply:", repr(f"{code}{mark}".encode() + line + b"\r\n"))
        self._print_debug(f"reply: retcode ({code}); Msg: {text!a}")

    def _print_debug(self, *args: object) -> None:
        moment = [datetime.now().time()] if self.debuglevel > 1 else []
        print(*moment, *args, file=sys.stderr)  # noqa: T201

    def ehlo(self, name: str = "") -> Answer:
        """Say EHLO, and learn what the server offers."""
        self.esmtp_features = {}
        self.putcmd(self.ehlo_msg, name or self.local_hostname)
        code, text = self.getreply()
        self.ehlo_resp = text
        if code == 250:
            self.does_esmtp = True
            offered = self._link.greeted(text.decode().split("\n"))
            self.esmtp_features = {
                keyword.lower(): parameters for keyword, parameters in offered.raw.items()
            }
            if offered.auth:
                # With the space in front that smtplib puts there.
                self.esmtp_features["auth"] = " " + " ".join(offered.auth)
        return code, text

    def verify(self, address: str) -> Answer:
        """Ask whether the server knows a mailbox (VRFY)."""
        return self.docmd("vrfy", bare_address(address))

    vrfy = verify

    def expn(self, address: str) -> Answer:
        """Ask for the members of a mailing list (EXPN)."""
        return self.docmd("expn", bare_address(address))
