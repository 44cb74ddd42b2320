"""Give a client's private key to the `ssl` module, which takes keys from files only."""

from __future__ import annotations

import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..certificate import Certificate
from ..errors import BadValue

__all__ = ["load_client_key"]

_DESCRIPTORS = "/proc/self/fd/"


def load_client_key(context: ssl.SSLContext, certificate: Certificate) -> None:
    """Let the context show a certificate when a server asks.

    The key goes through memory where the system can (Linux). Elsewhere a file with it exists for
    the moment of loading: readable by its owner only, and encrypted with a password that is made
    up for it and never written.

    Raises:
        BadValue: OpenSSL does not take the key (273), such as one that is too short.
    """
    password = secrets.token_hex(32)
    with _as_file(_pem(certificate, password)) as path:
        try:
            context.load_cert_chain(path, password=password)
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise BadValue(
                "ssl_cert", f"OpenSSL does not take the certificate and its key: {reason}", code=273
            ) from error


def _pem(certificate: Certificate, password: str) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
    )

    key: Any = certificate.key
    lock = BestAvailableEncryption(password.encode())
    parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)]
    parts += [ssl.DER_cert_to_PEM_cert(der).encode() for der in certificate.chain]
    return b"".join(parts)


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Give the path of a file that is gone afterwards."""
    descriptor, path = _in_memory() or tempfile.mkstemp(prefix="smtps-")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            yield path
    finally:
        if not path.startswith(_DESCRIPTORS):
            os.unlink(path)


def _in_memory() -> tuple[int, str] | None:
    """Open a file that no disk holds; None where the system has none, or no path to it."""
    try:
        descriptor = os.memfd_create("smtps", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        return None
    path = f"{_DESCRIPTORS}{descriptor}"
    if os.path.exists(path):
        return descriptor, path
    os.close(descriptor)
    return None
