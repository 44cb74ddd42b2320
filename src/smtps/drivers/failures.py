"""What the operating system and the TLS library report, as errors of this package."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Sequence

from ..errors import CertificateRefused, ConnectionFailed, ConnectionLost, SMTPSError, TLSError
from ..hosts import is_socket_path

__all__ = [
    "attempts_in_words",
    "broken_handshake",
    "connect_failure",
    "lookup_failure",
    "loss",
    "tls_failure",
]

# The classic component reports Winsock numbers on every system.
_WINSOCK = {
    errno.EACCES: 10013,
    errno.EMFILE: 10024,
    errno.EADDRINUSE: 10048,
    errno.EADDRNOTAVAIL: 10049,
    errno.ENETDOWN: 10050,
    errno.ENETUNREACH: 10051,
    errno.ECONNABORTED: 10053,
    errno.ECONNRESET: 10054,
    errno.EPIPE: 10054,
    errno.ENOBUFS: 10055,
    errno.ETIMEDOUT: 10060,
    errno.ECONNREFUSED: 10061,
    errno.EHOSTUNREACH: 10065,
}
_RESOLVER = {socket.EAI_NONAME: 11001, socket.EAI_AGAIN: 11002, socket.EAI_FAIL: 11003}
if hasattr(socket, "EAI_NODATA"):
    _RESOLVER[socket.EAI_NODATA] = 11004

_CERTIFICATE_WANTED = ("TLSV13_ALERT_CERTIFICATE_REQUIRED",)
_NO_COMMON_VERSION = (
    "NO_PROTOCOLS_AVAILABLE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
)


# An address that has no route says less than one that was tried and refused.
_NO_ROUTE = (10049, 10050, 10051, 10065)


def lookup_failure(host: str, error: OSError | UnicodeError) -> ConnectionFailed:
    """Say why a name has no address."""
    if isinstance(error, UnicodeError):
        return ConnectionFailed(f"{host} is no name that DNS could know", code=11001)
    if isinstance(error, socket.gaierror):
        code = _RESOLVER.get(error.errno or 0, 11003)
    else:
        # The resolver itself could not work: no file descriptor is left, for one.
        code = _WINSOCK.get(error.errno or 0, 11003)
    return ConnectionFailed(f"the name {host} cannot be resolved: {error.strerror}", code=code)


def connect_failure(
    host: str, port: int, failures: Sequence[tuple[object, OSError]]
) -> ConnectionFailed:
    """Say why no connection could be made, of each address that was tried.

    Args:
        failures: the addresses and what the system said, one at least.
    """
    codes = [_WINSOCK.get(error.errno or 0, 162) for _, error in failures]
    telling = [place for place, code in enumerate(codes) if code not in _NO_ROUTE] or [0]
    place = host if is_socket_path(host) else f"{host} port {port}"
    sentence = f"cannot connect to {place}: {attempts_in_words(host, failures)}"
    failure = ConnectionFailed(sentence, code=codes[telling[0]])
    failure.__cause__ = failures[telling[0]][1]
    return failure


def attempts_in_words(host: str, attempts: Sequence[tuple[object, OSError | None]]) -> str:
    """List addresses and what became of each; None is one that has not answered."""
    parts = []
    for target, error in attempts:
        words = _words(error) if error is not None else "no answer"
        parts.append(words if str(target) == host else f"{target}: {words}")
    return "; ".join(parts)


def loss(error: OSError, *, tls_code: int = 284) -> SMTPSError:
    """Say how a connection that was up broke.

    Args:
        tls_code: the number where it is TLS that broke: 283 in encrypting, 284 in decrypting.
    """
    if isinstance(error, ssl.SSLError):
        if _reason(error) in _CERTIFICATE_WANTED:
            return _certificate_wanted()
        return ConnectionLost(f"the TLS connection broke: {_words(error)}", code=tls_code)
    code = _WINSOCK.get(error.errno or 0, 1120)
    return ConnectionLost(f"the connection broke: {_words(error)}", code=code)


def tls_failure(host: str, error: OSError) -> SMTPSError:
    """Say why there is no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(host, error.verify_message)
    if isinstance(error, ssl.SSLError) and _reason(error) in _CERTIFICATE_WANTED:
        return _certificate_wanted()
    if isinstance(error, ssl.SSLError) and _reason(error) in _NO_COMMON_VERSION:
        return TLSError(
            f"{host} speaks no version of TLS that is allowed here; ssl_enabled_protocols names"
            f" those that are: {_words(error)}"
        )
    if isinstance(error, ssl.SSLError) and _reason(error) == "WRONG_VERSION_NUMBER":
        return TLSError(
            f"{host} does not speak TLS on this port; perhaps it wants STARTTLS, which"
            " smtp:// and ssl_start_mode EXPLICIT do"
        )
    # What a connection that ends is called depends on the version of Python.
    is_end = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if isinstance(error, ssl.SSLError) and not is_end:
        return TLSError(f"the TLS handshake with {host} failed: {_words(error)}")
    return broken_handshake(f"the connection broke in the TLS handshake: {_words(error)}")


def broken_handshake(reason: str) -> TLSError:
    """Say that there is no TLS because there is no connection any more; later there may be one."""
    broken = TLSError(reason)
    broken.retryable = True
    return broken


def _certificate_wanted() -> TLSError:
    return TLSError(
        "the server wants a certificate of the client; name one by ssl_cert or ssl_cert_store",
        code=281,
    )


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        # Its number is one of OpenSSL's, and not of the system's.
        return _reason(error).replace("_", " ").lower() or error.strerror or type(error).__name__
    # asyncio puts its own words, with the address, in place of the system's.
    return os.strerror(error.errno) if error.errno else str(error) or type(error).__name__


def _reason(error: ssl.SSLError) -> str:
    # Those that Python's ssl makes itself have none.
    return getattr(error, "reason", None) or ""
