"""TLS contexts: what the options ask for, in the terms of the `ssl` module."""

from __future__ import annotations

import ssl
import warnings
from functools import lru_cache

from ..errors import BadValue
from ..hosts import to_ascii
from ..ops import TLSInfo
from ..properties import ConnectionProperties

__all__ = ["context_for", "describe", "server_name"]


def context_for(options: ConnectionProperties) -> ssl.SSLContext:
    """Give the context for a connection: verified against the system's authorities by default.

    Raises:
        BadValue: a file or folder of authorities cannot be read.
    """
    settings = options.settings
    if settings.accept_any_server_cert:
        warnings.warn(
            "accept_any_server_cert is on: anyone in the middle can read and change the mail",
            RuntimeWarning,
            stacklevel=2,
        )
        return _unverified()
    return _verified(settings.openssl_ca_file, settings.openssl_ca_dir)


# Reading the system's authorities takes some 10 ms, so a context serves many connections.
@lru_cache(maxsize=16)
def _verified(ca_file: str, ca_dir: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None, capath=ca_dir or None)
    except OSError as error:
        raise BadValue(
            "openssl_ca_file" if ca_file else "openssl_ca_dir",
            f"no authorities can be read from it: {error.strerror or error}",
        ) from error
    return _common(context)


@lru_cache(maxsize=1)
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _common(context)


def _common(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # RFC 8314 and 3207 name no protocol to negotiate; a renegotiation would be an attack.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def server_name(options: ConnectionProperties) -> str:
    """The name that the certificate must bear: the relay as the program named it, in ASCII."""
    return to_ascii(options.mail_server).rstrip(".")


def describe(connection: ssl.SSLSocket | ssl.SSLObject) -> TLSInfo:
    """Tell what the handshake agreed on."""
    name, _, bits = connection.cipher() or ("", "", 0)
    return TLSInfo(
        connection.version() or "", name, bits, connection.getpeercert(binary_form=True) or b""
    )
