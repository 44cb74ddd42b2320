"""Judge a server's chain of certificates as the options ask."""

from __future__ import annotations

import ssl
from functools import lru_cache

from ..ops import PrepareTLS, Verdict, Verify
from ..tls_settings import IGNORED_DATES, IGNORED_NAME, IGNORED_PURPOSE, IGNORED_UNKNOWN_AUTHORITY
from .any_purpose import passes_for_any_purpose
from .authorities import Authorities, trusting_context
from .rehearsal import CIPHERS, rehearse
from .tls import context_for, security_level, server_name

__all__ = ["prepare", "verify"]

# X509_V_FLAG_NO_CHECK_TIME and X509_V_ERR_INVALID_PURPOSE; the ssl module has no names for them.
_NO_CHECK_TIME = 0x20_0000
_INVALID_PURPOSE = 26


def prepare(op: PrepareTLS) -> None:
    """Find out what would stop the handshake, or `verify` behind it.

    Raises:
        BadValue: authorities, ciphers or the client's certificate cannot be used.
    """
    context_for(op)
    authorities = Authorities.of(op.options)
    if not op.verify and (authorities.file or authorities.folder):
        _trusting(authorities, security_level(op.options), 0)


def verify(op: Verify) -> Verdict:
    """Say what OpenSSL says, and whether the chain passes without what the flags ignore.

    The system's verifier of `truststore` cannot be asked behind a handshake, so it is OpenSSL with
    the authorities that it finds that judges here.

    Raises:
        BadValue: the authorities cannot be read.
    """
    host = server_name(op.options)
    authorities = Authorities.of(op.options)
    level = security_level(op.options)
    found, status = rehearse(_trusting(authorities, level, 0), op.chain, host)
    flags = op.options.settings.ssl_security_flags
    if not found or not flags:
        return Verdict(status, passes=not found)
    if flags & IGNORED_UNKNOWN_AUTHORITY:
        try:
            context = _believing(op.chain, level, flags)
        except (ssl.SSLError, ValueError):
            return Verdict(status, passes=False)  # What came is no certificate.
    else:
        context = _trusting(authorities, level, flags & (IGNORED_DATES | IGNORED_NAME))
    remaining, _ = rehearse(context, op.chain, host)
    if remaining == _INVALID_PURPOSE and flags & IGNORED_PURPOSE:
        return Verdict(status, passes_for_any_purpose(op.chain, authorities, flags, host))
    return Verdict(status, passes=not remaining)


@lru_cache(maxsize=16)
def _trusting(authorities: Authorities, level: int | None, ignored: int) -> ssl.SSLContext:
    return _for_rehearsal(trusting_context(authorities), level, ignored)


def _believing(chain: tuple[bytes, ...], level: int | None, ignored: int) -> ssl.SSLContext:
    """Take whatever the server sent for an authority: names, dates and purpose are left."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=b"".join(chain))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    return _for_rehearsal(context, level, ignored)


def _for_rehearsal(context: ssl.SSLContext, level: int | None, ignored: int) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS if level is None else f"{CIPHERS}:@SECLEVEL={level}")
    if ignored & IGNORED_DATES:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.check_hostname = not ignored & IGNORED_NAME
    return context
