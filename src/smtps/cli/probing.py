"""Look at a server: what it offers before and after TLS, its certificates, how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from ..client import SMTPS
from ..enumerations import SSLStartMode
from ..errors import CommandRefused, ConnectionFailed, SMTPSError, TLSError
from ..events import ConnectionStatus, Direction, PITrail, SSLServerAuthentication, SSLStatus
from ..ops import TLSInfo
from ..phase import Phase
from ..wire.capabilities import Capabilities
from .exits import OK, PROTOCOL, status_of

__all__ = ["Findings", "look_at"]


@dataclass(slots=True)
class Findings:
    """What was seen of a server. Times are seconds."""

    host: str
    port: int
    #: Whether TLS comes with the first byte.
    implicit: bool
    greeting: str = ""
    #: The lines of each reply to EHLO, the first of them the server's name: before TLS and after.
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    tls: TLSInfo | None = None
    #: "OK", or why the certificate is not to be trusted; empty without TLS.
    certificate: str = ""
    #: What did not work.
    problem: SMTPSError | None = None
    #: Who logged in, where that was asked for.
    user: str = ""
    #: From the start, the name's look-up with it, until TCP is up; from then to the greeting; and
    #: for the TLS handshake.
    connecting: float = 0.0
    greeted: float = 0.0
    handshake: float = 0.0
    #: Of every NOOP, in order.
    round_trips: list[float] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:
        """What counts: what was said over TLS, where there is TLS."""
        return Capabilities.parse(self.after or self.before)

    @property
    def auth_in_clear(self) -> tuple[str, ...]:
        """How one could log in without TLS."""
        return Capabilities.parse(self.before).auth

    @property
    def status(self) -> int:
        """The exit status."""
        if self.problem is not None:
            return status_of(self.problem)
        return OK if self.certificate in ("", "OK") else PROTOCOL


def look_at(smtp: SMTPS, count: int, *, logs_in: bool) -> Findings:
    """Connect, look, and disconnect. A server without TLS is looked at in clear text.

    A certificate that cannot be trusted is no obstacle as long as nobody logs in.

    Args:
        smtp: set up and not connected; without a user unless `logs_in`.
        count: how often the round trip is measured.

    Raises:
        ConnectionFailed: there is nothing to look at.
    """
    findings = Findings(smtp.mail_server, smtp.mail_port, smtp.start_mode is SSLStartMode.IMPLICIT)
    _Observer(findings, logs_in=logs_in).watch(smtp)
    try:
        try:
            smtp.connect()
        except TLSError as error:
            findings.problem = error
            if error.phase is not Phase.STARTTLS or logs_in:
                return findings
            # There is no TLS here; the rest can be seen all the same.
            smtp.ssl_start_mode = SSLStartMode.NONE
            smtp.connect()
        findings.user = smtp.user
        _measure(smtp, findings, count)
    except ConnectionFailed:
        raise
    except SMTPSError as error:
        findings.problem = findings.problem or error
    finally:
        smtp.disconnect()
    return findings


class _Observer:
    """Write down what the events of a connection tell."""

    def __init__(self, findings: Findings, *, logs_in: bool) -> None:
        self._findings = findings
        self._logs_in = logs_in
        self._begun = monotonic()
        self._connected = 0.0
        self._shaking = 0.0
        self._lines: list[str] | None = None

    def watch(self, smtp: SMTPS) -> None:
        """Listen to a connection."""
        smtp.on_connection_status = self._on_status
        smtp.on_pi_trail = self._on_line
        smtp.on_ssl_status = self._on_tls
        smtp.on_ssl_server_authentication = self._on_certificate
        self._smtp = smtp

    def _on_status(self, event: ConnectionStatus) -> None:
        if event.connection_event == "Remote Connect":
            self._connected = monotonic()
            self._findings.connecting = self._connected - self._begun
        elif event.connection_event == "Secure Connect":
            self._findings.tls = self._smtp.tls

    def _on_tls(self, event: SSLStatus) -> None:
        # The first step and the last one have a time each; so a failed handshake has none.
        if event.message.endswith("begins"):
            self._shaking = monotonic()
        self._findings.handshake = monotonic() - self._shaking

    def _on_certificate(self, event: SSLServerAuthentication) -> None:
        self._findings.certificate = event.status
        self._findings.tls = self._smtp.tls
        event.accept = event.accept or not self._logs_in

    def _on_line(self, event: PITrail) -> None:
        findings = self._findings
        if event.direction is Direction.CLIENT:
            is_hello = event.message.upper().startswith(("EHLO", "LHLO"))
            self._lines = [] if is_hello else None
            if self._lines is not None and (findings.tls is not None):
                findings.after = self._lines
            elif self._lines is not None:
                findings.before = self._lines
        elif event.direction is Direction.SERVER:
            if not findings.greeting:
                findings.greeting = event.message
                findings.greeted = monotonic() - self._connected
            elif self._lines is not None and event.message.startswith("250"):
                self._lines.append(event.message[4:])


def _measure(smtp: SMTPS, findings: Findings, count: int) -> None:
    for _ in range(count):
        begun = monotonic()
        try:
            smtp.send_command("NOOP")
        except CommandRefused:
            # An answer is an answer; what it says does not matter.
            pass
        findings.round_trips.append(monotonic() - begun)
