"""Open a session: connect, greeting, EHLO, TLS, authentication. RFC 5321, 3207, 8314, 4954."""

from __future__ import annotations

from time import monotonic

from ..enumerations import SSLStartMode
from ..errors import (
    BadValue,
    CommandRefused,
    GreetingRefused,
    ProtocolError,
    SMTPSError,
    TLSError,
)
from ..hosts import is_socket_path
from ..ops import Connected, Dialogue
from ..phase import Phase
from ..session import Session
from ..watching import watched
from ..wire.capabilities import Capabilities
from ..wire.commands import build_command
from .authentication import authenticate
from .credentials import check_credentials, is_wanted
from .exchange import exchange, gain, read_reply
from .reaching import reach
from .securing import prepare_tls, shake_hands

__all__ = ["ask_again", "check_options", "hello_command", "name_of", "open_session"]


@watched("connect")
def open_session(session: Session) -> Dialogue[None]:
    """Bring the session to rest: connected, secured as asked, authenticated if there is a user.

    Raises:
        BadValue, NotOffered, AuthenticationRefused, GreetingRefused, ConnectionFailed, TLSError...
        Whatever it is, the caller closes the connection; no half-open session is of use.
    """
    check_options(session)
    session.reset()
    yield from prepare_tls(session)
    try:
        yield from _open(session)
    except SMTPSError as error:
        # Whatever it is, nothing goes on in a session that is half open.
        error.session_usable = False
        raise
    session.connected = session.resting = True


def _open(session: Session) -> Dialogue[None]:
    options = session.options
    mode = options.start_mode
    early = yield from reach(session)
    if mode is SSLStartMode.IMPLICIT:
        if early:
            raise ProtocolError("bytes arrived in clear text before TLS", phase=Phase.TLS)
        yield from _shake_hands(session)
    yield from _greet(session, early)
    yield from _hello(session)
    if mode is SSLStartMode.EXPLICIT:
        yield from _secure(session)
        # RFC 3207 4.2: what was said in clear text may be forged; ask again.
        yield from _hello(session)
    if is_wanted(options):
        yield from authenticate(session)
        session.may_offer_more = True


def check_options(session: Session) -> None:
    """Refuse what cannot work, before the network is touched.

    Raises:
        BadValue: an option is missing, or two of them contradict each other.
    """
    options = session.options
    if not options.mail_server:
        raise BadValue("mail_server", "empty; name the relay", code=163)
    if is_socket_path(options.mail_server) and options.start_mode is not SSLStartMode.NONE:
        raise BadValue(
            "ssl_start_mode", "a Unix socket has no host name for a certificate; choose NONE"
        )
    if not options.allow_extensions:
        _check_plain_hello(session)
    if is_wanted(options):
        check_credentials(options)


def _check_plain_hello(session: Session) -> None:
    """Refuse what HELO, which offers nothing, cannot do."""
    options = session.options
    if session.is_lmtp:
        raise BadValue("allow_extensions", "LMTP has no HELO; allow extensions")
    if options.start_mode is SSLStartMode.EXPLICIT:
        raise BadValue(
            "allow_extensions",
            "STARTTLS needs EHLO; allow extensions or choose ssl_start_mode IMPLICIT or NONE",
        )
    if is_wanted(options):
        raise BadValue("allow_extensions", "authentication needs EHLO; allow extensions")


def _greet(session: Session, early: bytes) -> Dialogue[None]:
    # The server speaks first, so its greeting is awaited without a command.
    session.expect(Phase.GREETING)
    if early:
        session.receive(early)
    reply = yield from read_reply(session)
    if reply.code != 220:
        raise GreetingRefused(reply)


def _hello(session: Session) -> Dialogue[None]:
    """Say EHLO; fall back to HELO where the server does not know it. RFC 5321, section 4.1.4.

    LMTP has LHLO in place of both. RFC 2033, section 4.1.
    """
    if session.options.allow_extensions:
        begun = monotonic()
        reply = yield from exchange(session, hello_command(session), Phase.HELLO)
        session.meter.heard_hello(monotonic() - begun)
        if reply.code == 250:
            session.capabilities = Capabilities.parse(reply.lines, verified=session.is_verified)
            return
        if session.is_lmtp:
            raise CommandRefused("LHLO was refused", reply)
        if not reply.permanent:
            raise CommandRefused("EHLO was refused", reply)
    reply = yield from exchange(session, build_command("HELO", _hello_name(session)), Phase.HELLO)
    if reply.code != 250:
        raise CommandRefused("HELO was refused", reply)
    session.capabilities = Capabilities()


def ask_again(session: Session) -> Dialogue[bool]:
    """Ask a server what it offers to who logged in, as some then offer more than they said before.

    It costs a round trip, so it is for the one who misses something; asked once, it does nothing.

    Returns:
        Whether there is a new answer.
    """
    if not session.may_offer_more:
        return False
    session.may_offer_more = session.resting = False
    reply = yield from exchange(session, hello_command(session), Phase.HELLO)
    session.resting = not session.over
    if reply.code != 250:
        return False
    session.capabilities = Capabilities.parse(reply.lines, verified=session.is_verified)
    return True


def hello_command(session: Session) -> bytes:
    """Build EHLO, or LHLO."""
    return build_command("LHLO" if session.is_lmtp else "EHLO", _hello_name(session))


def _hello_name(session: Session) -> str:
    return session.options.settings.hello or name_of(session.local)


def name_of(local: Connected | None) -> str:
    """Give the name that this host greets by where none was set. RFC 5321, section 4.1.3."""
    if local is None:
        return "localhost"
    # On a Unix socket there is no address.
    if "." in local.own_name or not local.own_address:
        return local.own_name or "localhost"
    # RFC 5321 4.1.4: a host without a meaningful name gives its address.
    if ":" not in local.own_address:
        return f"[{local.own_address}]"
    # The zone of a link-local one means nothing to others.
    address, _, _ = local.own_address.partition("%")
    return f"[IPv6:{address}]"


def _secure(session: Session) -> Dialogue[None]:
    """Start TLS, or fail: a session that was to be secure never goes on in clear text."""
    if not session.capabilities.starttls:
        raise TLSError(
            "the server does not offer STARTTLS; choose smtps:// (ssl_start_mode IMPLICIT) for a"
            " TLS port, or ?tls=none (NONE) to send in clear text",
            phase=Phase.STARTTLS,
        )
    reply = yield from exchange(session, b"STARTTLS\r\n", Phase.STARTTLS)
    if reply.code != 220:
        refusal = TLSError(
            f"the server refused STARTTLS: {reply}", phase=Phase.STARTTLS, reply=reply
        )
        refusal.retryable = reply.temporary
        raise refusal
    session.refuse_unasked(Phase.STARTTLS)
    session.capabilities = Capabilities()
    yield from _shake_hands(session)


def _shake_hands(session: Session) -> Dialogue[None]:
    yield from shake_hands(session)
    yield from gain(session, "Secure")
