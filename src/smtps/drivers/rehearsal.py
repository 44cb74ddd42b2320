"""OpenSSL's own verdict on a chain of certificates, without the server that holds the key.

Python lets nobody into the middle of a handshake, and gives no access to OpenSSL's verification
outside of one. So a handshake of TLS 1.2 is begun in memory, and answered with a ServerHello and
the chain: the client verifies it the moment it has read it, before anything must be signed. Either
it breaks off with the very error that a real handshake would have given, or it waits for the
server's next message, which is never made. RFC 5246, sections 7.4.1.3 and 7.4.2.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence

__all__ = ["CIPHERS", "rehearse"]

#: What the context must offer; which of them fits depends on the key of the certificate.
CIPHERS = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"
_CIPHER_CODES = (b"\xc0\x2f", b"\xc0\x2b")

_HANDSHAKE = 22
_SERVER_HELLO, _CERTIFICATE = 2, 11
_VERSION = b"\x03\x03"
_LONGEST_RECORD = 16384
# RFC 5746: an empty renegotiation_info, without which OpenSSL 3 goes no further.
_EXTENSIONS = b"\xff\x01\x00\x01\x00"


def rehearse(context: ssl.SSLContext, chain: Sequence[bytes], host: str) -> tuple[int, str]:
    """Verify a chain as `context` would in a handshake with `host`.

    Args:
        context: one whose only version is TLS 1.2 and whose ciphers are `CIPHERS`.
        chain: DER, the server's own certificate first.

    Returns:
        OpenSSL's error number and words; (0, "OK") if the chain passes.
    """
    failure = (1, "not verified")
    for cipher in _CIPHER_CODES:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname=host)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(_flight(chain, cipher))
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            return (0, "OK")
        except ssl.SSLCertVerificationError as error:
            return (error.verify_code, error.verify_message)
        except ssl.SSLError as error:
            # Perhaps the certificate passed and its key is of the kind of the other cipher.
            failure = (1, (error.reason or str(error)).replace("_", " ").lower())
    return failure


def _flight(chain: Sequence[bytes], cipher: bytes) -> bytes:
    extensions = len(_EXTENSIONS).to_bytes(2, "big") + _EXTENSIONS
    hello = _VERSION + bytes(32) + b"\x00" + cipher + b"\x00" + extensions
    listed = b"".join(_sized(der) for der in chain)
    messages = _message(_SERVER_HELLO, hello) + _message(_CERTIFICATE, _sized(listed))
    pieces = range(0, len(messages), _LONGEST_RECORD)
    return b"".join(_record(messages[start : start + _LONGEST_RECORD]) for start in pieces)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _sized(body)


def _record(data: bytes) -> bytes:
    return bytes([_HANDSHAKE]) + _VERSION + len(data).to_bytes(2, "big") + data
