"""Every error of the package.

All inherit `SMTPSError`, and a built-in error where one fits. Each answers four questions: `code`
(the number that the classic component gives it), `retryable`, `session_usable`, and `reply` (the
server's own words, if it said any).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from .phase import Phase
from .reply import Reply

if TYPE_CHECKING:
    from .receipt import Receipt

__all__ = [
    "AddressError",
    "AlreadyConnected",
    "AuthenticationRefused",
    "BadValue",
    "Busy",
    "CertificateRefused",
    "CommandRefused",
    "ConnectionFailed",
    "ConnectionLost",
    "DeliveryUnknown",
    "GreetingRefused",
    "Interrupted",
    "Locked",
    "MessageRefused",
    "NotConnected",
    "NotOffered",
    "ProtocolError",
    "ProxyError",
    "RecipientsRefused",
    "ReplyError",
    "SMTPSError",
    "SenderRefused",
    "ServiceClosing",
    "SessionError",
    "SourceFailed",
    "TLSError",
    "TimedOut",
    "TooLarge",
]


class SMTPSError(Exception):
    """Say what failed. Every error of this package is one of these.

    Args:
        code: the number of the classic component, such as 161 for a refusal by the server.
        reply: what the server said, if that is what failed.
    """

    #: The error number of the classic component.
    code: int = 0
    #: Whether the same call may succeed later without a change.
    retryable: bool = False
    #: Whether the session can go on after this error.
    session_usable: bool = True
    #: The server's own words.
    reply: Reply | None = None
    #: Whether time ran out; an interruption has the same number, 301.
    timed_out: bool = False
    #: What became of each recipient, when a message was being sent.
    receipt: Receipt | None = None

    def __init__(self, code: int, message: str, *, reply: Reply | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.reply = reply
        self._sentence = message

    @property
    def message(self) -> str:
        """The whole sentence."""
        return str(self)

    def __str__(self) -> str:
        return self._sentence

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructors of the subclasses take different fields; a copy needs none of them.
        return (_restore, (type(self),), self.__dict__.copy())


def _restore(error_class: type[SMTPSError]) -> SMTPSError:
    return error_class.__new__(error_class)


# --- what the caller gave -------------------------------------------------------------------------


class BadValue(SMTPSError, ValueError):
    """A property, setting or argument cannot be used; nothing was sent.

    Args:
        field: the name of what was wrong, as the caller knows it.
        reason: what is wrong with it, and the way out. It must not repeat a value that could
            carry control characters or a secret.
    """

    code = 116

    def __init__(self, field: str, reason: str, *, code: int | None = None) -> None:
        super().__init__(self.code if code is None else code, f"{field}: {reason}")
        self.field = field
        self.reason = reason


class AddressError(BadValue):
    """An address is not one that RFC 5321 allows, or not one that this session can carry."""

    code = 165


class SourceFailed(SMTPSError):
    """The program's own content, file or iterator failed while it was read; nothing was sent.

    The error of the source is the cause (`__cause__`).
    """

    def __init__(self, cause: Exception) -> None:
        why = repr(cause)
        if isinstance(cause, OSError) and cause.filename is not None:
            why = f"{cause.strerror}: {cause.filename!r}"
        super().__init__(116, f"the content could not be read: {why}")

    @classmethod
    def of(cls, error: Exception) -> SMTPSError:
        """Give an error as one of this package: itself if it is one, else as a source's."""
        if isinstance(error, SMTPSError):
            return error
        failed = cls(error)
        failed.__cause__ = error
        return failed


class Locked(SMTPSError, RuntimeError):
    """A property cannot be changed while connected."""

    session_usable = True

    def __init__(self, field: str, code: int) -> None:
        super().__init__(code, f"{field}: cannot be changed while connected; disconnect first")
        self.field = field


class Busy(SMTPSError, RuntimeError):
    """Another method of the same object is still running."""

    def __init__(self, running: str) -> None:
        super().__init__(143, f"busy: {running} is still running on this connection")
        self.running = running


class AlreadyConnected(SMTPSError, RuntimeError):
    """`connect` was called on a connection that is up."""

    def __init__(self) -> None:
        super().__init__(104, "already connected; disconnect first")


class NotConnected(SMTPSError, RuntimeError):
    """The call needs a connection and there is none."""

    def __init__(self, message: str = "not connected; call connect() first") -> None:
        super().__init__(1117, message)


class NotOffered(SMTPSError):
    """The message or the options need something that the server does not offer; nothing was sent.

    Args:
        extension: the keyword of the EHLO reply that is missing, such as "SMTPUTF8".
        need: what needs it.
    """

    def __init__(self, extension: str, need: str) -> None:
        super().__init__(161, f"the server does not offer {extension}, which {need} needs")
        self.extension = extension
        self.need = need


class TooLarge(SMTPSError):
    """The message is larger than the server said that it takes; nothing was sent. RFC 1870."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(161, f"the message has {size} bytes, and the server takes {limit}")
        self.size = size
        self.limit = limit


# --- the connection -------------------------------------------------------------------------------


class SessionError(SMTPSError):
    """The connection failed in some phase, and the session is over."""

    session_usable = False

    def __init__(self, code: int, phase: Phase, reason: str, *, reply: Reply | None = None) -> None:
        super().__init__(code, f"{reason} (while {phase.value})", reply=reply)
        self.phase = phase
        self.reason = reason

    def at(self, phase: Phase) -> Self:
        """Name the phase; a driver reports what broke, only the dialogue knows when."""
        self.phase = phase
        self._sentence = f"{self.reason} (while {phase.value})"
        return self


class ConnectionFailed(SessionError, ConnectionError):
    """No connection could be made.

    Args:
        code: the Winsock number of the cause (10061 refused, 11001 host not found), or 162.
    """

    retryable = True

    def __init__(self, reason: str, *, code: int = 162, phase: Phase = Phase.CONNECT) -> None:
        super().__init__(code, phase, reason)


class ConnectionLost(SessionError, ConnectionError):
    """The server closed the connection, or the network did."""

    retryable = True

    def __init__(
        self,
        reason: str = "the server closed the connection",
        *,
        phase: Phase = Phase.IDLE,
        code: int = 1120,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(code, phase, reason, reply=reply)


class TimedOut(SessionError, TimeoutError):
    """No byte moved for the time that was allowed, or the whole method took too long."""

    retryable = True
    timed_out = True

    def __init__(self, seconds: float, *, phase: Phase = Phase.IDLE, detail: str = "") -> None:
        super().__init__(
            301, phase, f"timed out after {seconds:g} s" + (f": {detail}" if detail else "")
        )
        self.seconds = seconds


class Interrupted(SessionError):
    """`interrupt` stopped the method; the connection was dropped."""

    retryable = True

    def __init__(self, *, phase: Phase = Phase.IDLE) -> None:
        super().__init__(301, phase, "interrupted")


class ProtocolError(SessionError):
    """The server broke the protocol, so nothing more that it says can be trusted."""

    def __init__(
        self, reason: str, *, phase: Phase = Phase.IDLE, reply: Reply | None = None
    ) -> None:
        super().__init__(161, phase, reason, reply=reply)


class ProxyError(SessionError, ConnectionError):
    """The proxy did not make the connection."""

    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(118, Phase.PROXY, reason)


class TLSError(SessionError, ConnectionError):
    """TLS could not be had, or not as it was asked for. The session never goes on without it."""

    def __init__(
        self, reason: str, *, code: int = 276, phase: Phase = Phase.TLS, reply: Reply | None = None
    ) -> None:
        super().__init__(code, phase, reason, reply=reply)


class CertificateRefused(TLSError):
    """The server's certificate was not accepted.

    Args:
        status: why, in the words of the verifier.
    """

    def __init__(self, host: str, status: str) -> None:
        # What OpenSSL says of an authority that nobody named, and where a certificate signs itself.
        unknown = "issuer certificate" in status or "self-signed" in status
        hint = "; openssl_ca_file names an authority of your own" if unknown else ""
        super().__init__(f"the certificate of {host} was not accepted: {status}{hint}", code=280)
        self.host = host
        self.status = status


# --- what the server said -------------------------------------------------------------------------


class ReplyError(SMTPSError):
    """The server refused. `reply` holds its words; `retryable` follows its first digit.

    Args:
        what: what was refused, as the subject of the sentence.
    """

    reply: Reply

    def __init__(self, what: str, reply: Reply) -> None:
        super().__init__(161, f"{what}: {reply}", reply=reply)
        self.what = what
        self.retryable = reply.temporary
        # RFC 5321 3.8: after a 421 the server closes.
        self.session_usable = reply.code != 421


class CommandRefused(ReplyError):
    """The server refused a command."""


class GreetingRefused(ReplyError):
    """The server does not take mail from here, now."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("the server refused the session", reply)
        self.session_usable = False


class ServiceClosing(ReplyError):
    """The server announced that it closes the connection (421)."""

    def __init__(self, reply: Reply, *, phase: Phase) -> None:
        super().__init__(f"the server is closing the connection while {phase.value}", reply)
        self.phase = phase


class AuthenticationRefused(ReplyError):
    """The server did not accept the credentials."""

    #: What the server said in the exchange before, such as "invalid_token".
    detail: str = ""

    def __init__(self, mechanism: str, reply: Reply) -> None:
        super().__init__(f"authentication with {mechanism} was refused", reply)
        self.mechanism = mechanism

    def explain(self, detail: str) -> None:
        """Add what the server said of the reason before its refusal."""
        if detail:
            self.detail = detail
            self._sentence = f"{self.what} ({detail}): {self.reply}"


class SenderRefused(ReplyError):
    """The server refused MAIL."""

    def __init__(self, sender: str, reply: Reply) -> None:
        super().__init__(f"the sender <{sender}> was refused", reply)
        self.sender = sender


class RecipientsRefused(ReplyError):
    """The server refused recipients: all of them, or one that was required.

    Args:
        refused: the addresses, each with the server's words, in the order of the envelope.
    """

    def __init__(self, refused: dict[str, Reply]) -> None:
        address, reply = next(iter(refused.items()))
        others = len(refused) - 1
        what = f"the recipient <{address}> was refused"
        if others:
            what = f"{len(refused)} recipients were refused, first <{address}>"
        super().__init__(what, reply)
        self.refused = refused
        self.retryable = any(reply.temporary for reply in refused.values())


class MessageRefused(ReplyError):
    """The server refused the message itself, at DATA or after its end."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("the message was refused", reply)


class DeliveryUnknown(SessionError, ConnectionError):
    """The message was handed over and the final reply never came.

    The server may have taken it. Sending it again can deliver it twice, not sending it can lose
    it; that choice is the caller's. RFC 1047.
    """

    def __init__(self, cause: SMTPSError) -> None:
        super().__init__(
            cause.code,
            Phase.FINAL,
            f"whether the message was taken is not known: {getattr(cause, 'reason', cause)}",
            reply=cause.reply,
        )
        self.timed_out = cause.timed_out
