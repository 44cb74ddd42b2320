"""Secure a connection: the TLS handshake, and whether the server's certificate is accepted.

Where nothing else is asked for, the TLS library verifies in the middle of the handshake. A handler,
a pin and the options that ignore failures need the decision afterwards, so then the handshake is
made without it, the chain that came is verified before a byte follows, and the event decides. Two
things differ then: the server has seen the client's certificate if it asked for one, and no TLS
alert tells it why the connection closes.
"""

from __future__ import annotations

import warnings
from functools import cache
from hmac import compare_digest

from ..certificate import Certificate
from ..enumerations import SSLStartMode
from ..errors import CertificateRefused, SessionError, TLSError
from ..events import SSLServerAuthentication, SSLStatus
from ..ops import Dialogue, Emit, PrepareTLS, StartTLS, TLSInfo, Verdict, Verify
from ..phase import Phase
from ..session import Session
from ..tls_settings import IGNORABLE
from ..watching import watched
from .exchange import remark

__all__ = ["prepare_tls", "shake_hands"]

_OK = Verdict("OK", passes=True)


def prepare_tls(session: Session) -> Dialogue[None]:
    """Forget the last TLS session, and find out before connecting what would stop the next one.

    Raises:
        BadValue: authorities, the client's certificate or ciphers cannot be used.
    """
    session.tls = None
    session.certificate_status = ""
    options = session.options
    if options.start_mode is SSLStartMode.NONE:
        return
    if options.settings.accept_any_server_cert:
        _warn_of_any_certificate()
    yield PrepareTLS(options, verify=not _decides(session))


@watched("secure")
def shake_hands(session: Session) -> Dialogue[None]:
    """Make the connection secure, or fail before anything follows the handshake.

    Raises:
        CertificateRefused: the server's certificate was not accepted.
        TLSError, ConnectionLost, TimedOut: there is no TLS.
    """
    options = session.options
    decides = _decides(session)
    yield from _tell(session, f"TLS handshake with {options.mail_server} begins")
    try:
        info = yield StartTLS(options, verify=not decides, deadline=session.deadline(Phase.TLS))
    except SessionError as error:
        if isinstance(error, CertificateRefused):
            session.certificate_status = error.status
            yield from _tell(session, f"certificate refused: {error.status}")
        error.at(Phase.TLS)
        raise
    session.tls = info
    yield from remark(session, f"{info.version}, {info.cipher}")
    yield from _tell(session, f"{info.version}, {info.cipher}, {info.bits} bits")
    _check_strength(session, info)
    verdict = _OK
    if decides:
        verdict = yield from _judge(session, info)
        yield from _decide(session, info, verdict)
    session.certificate_status = verdict.status
    yield from _tell(session, "TLS handshake complete" + ", resumed" * info.resumed)


def _decides(session: Session) -> bool:
    """Whether the certificate is to be judged behind the handshake."""
    options, settings = session.options, session.options.settings
    return bool(
        SSLServerAuthentication in session.heard
        or options.ssl_accept_server_cert
        or settings.accept_any_server_cert
        or settings.ssl_security_flags & IGNORABLE
    )


def _check_strength(session: Session, info: TLSInfo) -> None:
    if not info.certificate:
        # A cipher list with aNULL in it makes it possible; then anyone can be the server.
        raise TLSError("the server showed no certificate", code=282)
    wanted = session.options.settings.ssl_cipher_strength
    if info.bits < wanted:
        raise TLSError(
            f"the cipher {info.cipher} has a key of {info.bits} bits, and ssl_cipher_strength"
            f" asks for {wanted}"
        )


def _judge(session: Session, info: TLSInfo) -> Dialogue[Verdict]:
    """Verify the chain, unless the certificate is the pinned one."""
    options = session.options
    if compare_digest(info.certificate, options.ssl_accept_server_cert):
        return _OK
    verdict: Verdict = yield Verify(options, info.chain)
    if options.settings.accept_any_server_cert:
        return Verdict(verdict.status, passes=True)
    return verdict


def _decide(session: Session, info: TLSInfo, verdict: Verdict) -> Dialogue[None]:
    """Ask the program, which knows what verification says.

    Raises:
        CertificateRefused: it said no, or it was not asked and the certificate did not pass.
    """
    session.certificate_status = verdict.status
    yield from _tell(session, f"certificate received: {verdict.status}")
    accepts = verdict.passes
    if SSLServerAuthentication in session.heard:
        shown = Certificate.from_der(info.certificate)
        event = SSLServerAuthentication(
            info.certificate, shown.subject, shown.issuer, verdict.status, accepts
        )
        yield Emit(event)
        accepts = bool(event.accept)
    if not accepts:
        status = "the program refused it" if verdict.passes else verdict.status
        yield from _tell(session, f"certificate refused: {status}")
        raise CertificateRefused(session.options.mail_server, status).at(Phase.TLS)
    if verdict.status != _OK.status:
        yield from remark(session, f"The certificate was accepted in spite of: {verdict.status}")


def _tell(session: Session, message: str) -> Dialogue[None]:
    if SSLStatus in session.heard:
        yield Emit(SSLStatus(message))


@cache
def _warn_of_any_certificate() -> None:
    """Warn once in the life of the process."""
    warnings.warn(
        "accept_any_server_cert is on: anyone in the middle can read and change the mail",
        RuntimeWarning,
        stacklevel=2,
    )
