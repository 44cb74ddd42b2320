"""Whom the certificates of servers are verified against."""

from __future__ import annotations

import os
import ssl
from typing import NamedTuple

from ..errors import BadValue
from ..properties import ConnectionProperties

__all__ = ["Authorities", "system_verifier", "trusting_context"]


class Authorities(NamedTuple):
    """A file or folder of authorities, or the system's; a file that changed is another one."""

    file: str
    folder: str
    changed: int

    @classmethod
    def of(cls, options: ConnectionProperties) -> Authorities:
        """Name those that the options trust."""
        file = options.settings.openssl_ca_file
        changed = 0
        if file:
            try:
                changed = os.stat(file).st_mtime_ns
            except (OSError, ValueError):
                pass  # Whoever opens it says why it cannot be read.
        return cls(file, options.settings.openssl_ca_dir, changed)


def trusting_context(authorities: Authorities) -> ssl.SSLContext:
    """Make a context in which OpenSSL verifies against them.

    Raises:
        BadValue: they cannot be read.
    """
    file, folder, _ = authorities
    if folder and not os.path.isdir(folder):
        # OpenSSL takes it all the same, and trusts nobody.
        raise BadValue(
            "openssl_ca_dir", f"{folder!r} is not a folder; make it with openssl rehash", code=271
        )
    try:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (OSError, ValueError) as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error
        reason = getattr(error, "strerror", None) or reason
        raise BadValue(
            "openssl_ca_file" if file else "openssl_ca_dir",
            f"no authorities can be read from {file or folder!r}: {reason}",
            code=271,
        ) from error
    # RFC 9525, section 2: a common name is no name of a host.
    context.hostname_checks_common_name = False
    return context


def system_verifier() -> ssl.SSLContext:
    """Make a context in which the system's own verifier judges, by the package truststore.

    Raises:
        BadValue: it is not installed.
    """
    try:
        import truststore
    except ImportError:
        raise BadValue(
            "truststore", "not installed; pip install 'smtps[truststore]'", code=270
        ) from None
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    return context
