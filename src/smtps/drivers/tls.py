"""TLS contexts: what the options ask for, in the terms of the `ssl` module."""

from __future__ import annotations

import _ssl
import ssl
import warnings
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

from ..certificate import Certificate
from ..errors import BadValue
from ..hosts import to_ascii
from ..ops import PrepareTLS, StartTLS, TLSInfo
from ..properties import ConnectionProperties
from ..tls_settings import PROTOCOL_BITS
from .authorities import Authorities, system_verifier, trusting_context
from .client_key import load_client_key
from .resumption import Earlier

__all__ = ["context_for", "describe", "security_level", "server_name"]

_VERSIONS = {
    PROTOCOL_BITS["TLSv1"]: (ssl.TLSVersion.TLSv1, ssl.OP_NO_TLSv1),
    PROTOCOL_BITS["TLSv1.1"]: (ssl.TLSVersion.TLSv1_1, ssl.OP_NO_TLSv1_1),
    PROTOCOL_BITS["TLSv1.2"]: (ssl.TLSVersion.TLSv1_2, ssl.OP_NO_TLSv1_2),
    PROTOCOL_BITS["TLSv1.3"]: (ssl.TLSVersion.TLSv1_3, ssl.OP_NO_TLSv1_3),
}
# OpenSSL 3 allows what these versions sign with at no higher level.
_OLD = PROTOCOL_BITS["TLSv1"] | PROTOCOL_BITS["TLSv1.1"]
_OLD_CIPHERS = "DEFAULT:@SECLEVEL=0"


def context_for(op: PrepareTLS | StartTLS) -> ssl.SSLContext:
    """Give the context for a connection; without `verify` it accepts whoever answers.

    Raises:
        BadValue: authorities, ciphers or the client's certificate cannot be used.
    """
    settings = op.options.settings
    if settings.openssl_prng_seed_data:
        ssl.RAND_add(settings.openssl_prng_seed_data, 0.0)
    return _context(
        Authorities.of(op.options) if op.verify else None,
        settings.truststore,
        settings.ssl_enabled_protocols,
        settings.openssl_cipher_list,
        op.options.client_certificate,
    )


# Reading the system's authorities takes some 10 ms, so a context serves many connections.
@lru_cache(maxsize=32)
def _context(
    authorities: Authorities | None,
    truststore: bool,
    protocols: int,
    ciphers: str,
    client: Certificate | None,
) -> ssl.SSLContext:
    if authorities is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif truststore and not authorities.file and not authorities.folder:
        context = system_verifier()
    else:
        context = trusting_context(authorities)
    _limit_versions(context, protocols)
    ciphers = ciphers or (_OLD_CIPHERS if protocols & _OLD else "")
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError as error:
            raise BadValue(
                "openssl_cipher_list",
                f"OpenSSL knows no cipher of TLS 1.2 or older in {ciphers!r}; "
                "openssl ciphers -v lists them",
                code=276,
            ) from error
    # RFC 8314 and 3207 name no protocol to negotiate; a renegotiation would be an attack.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if client is not None:
        load_client_key(context, client)
    return context


def _limit_versions(context: ssl.SSLContext, protocols: int) -> None:
    allowed = [bit for bit in _VERSIONS if protocols & bit]
    # The old versions are deprecated, and whoever names them here knows it.
    quiet = warnings.catch_warnings(action="ignore", category=DeprecationWarning)
    with quiet if protocols & _OLD else nullcontext():
        context.minimum_version = _VERSIONS[allowed[0]][0]
        context.maximum_version = _VERSIONS[allowed[-1]][0]
        for bit, (_, without) in _VERSIONS.items():
            if allowed[0] < bit < allowed[-1] and bit not in allowed:
                context.options |= without


def security_level(options: ConnectionProperties) -> int | None:
    """Tell the security level that the ciphers ask for, if they do."""
    settings = options.settings
    ciphers = settings.openssl_cipher_list
    if not ciphers:
        return 0 if settings.ssl_enabled_protocols & _OLD else None
    _, found, level = ciphers.upper().rpartition("@SECLEVEL=")
    return int(level[0]) if found and level[:1].isdecimal() else None


def server_name(options: ConnectionProperties) -> str:
    """The name that the certificate must bear: the relay as the program named it, in ASCII."""
    # A zone says on which interface an address is; no certificate knows it.
    return to_ascii(options.mail_server).partition("%")[0].rstrip(".")


def describe(
    connection: ssl.SSLSocket | ssl.SSLObject, op: StartTLS, earlier: Earlier | None
) -> TLSInfo:
    """Tell what the handshake agreed on.

    Args:
        earlier: the session that was offered; a resumed one does not show the chain again.
    """
    name, _, bits = connection.cipher() or ("", "", 0)
    certificate = connection.getpeercert(binary_form=True) or b""
    resumed = bool(connection.session_reused)
    if resumed and earlier:
        chain = earlier.chain
    else:
        chain = (certificate,) if op.verify else _peer_chain(connection) or (certificate,)
    version = connection.version() or ""
    bindings = _bindings(connection, version)
    return TLSInfo(version, name, bits, certificate, chain, resumed, bindings)


def _peer_chain(connection: Any) -> tuple[bytes, ...]:
    """Give the certificates as the server sent them, its own first."""
    if hasattr(connection, "get_unverified_chain"):  # From Python 3.13 on.
        return tuple(connection.get_unverified_chain())
    sent = connection._sslobj.get_unverified_chain() or ()
    return tuple(certificate.public_bytes(_ssl.ENCODING_DER) for certificate in sent)


def _bindings(connection: ssl.SSLSocket | ssl.SSLObject, version: str) -> dict[str, bytes]:
    # RFC 9266: TLS 1.3 has tls-exporter in place of tls-unique. No Python up to 3.14 gives it.
    kind = "tls-exporter" if version == "TLSv1.3" else "tls-unique"
    if kind not in ssl.CHANNEL_BINDING_TYPES:
        return {}
    return {kind: connection.get_channel_binding(kind) or b""}
