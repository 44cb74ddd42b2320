"""Make connections the way smtplib does, so that what is put in its way still is.

Proxies and tests replace `socket` in this module's package, or `_get_socket` of a class. What is
better here is TLS: without a context of the program's the server's certificate is verified.
"""

from __future__ import annotations

import os
import ssl
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

from ..drivers.sockets import set_no_delay
from ..drivers.tls import context_for, server_name
from ..ops import PrepareTLS
from .link import Link

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "Path",
    "SourceAddress",
    "check_timeout",
    "connect_tcp",
    "connect_unix",
    "context_of",
    "secure",
    "split_port",
]

#: What `socket` binds to.
SourceAddress: TypeAlias = "tuple[Any, ...] | str | Buffer"
#: What `ssl` opens.
Path: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"


def split_port(host: str, port: Any, default: int) -> tuple[str, Any]:
    """Part "host:port", if no port is given beside it.

    Raises:
        OSError: what stands behind the colon is no number.
    """
    if not port and host.count(":") == 1:
        host, _, digits = host.partition(":")
        if not (digits.isascii() and digits.isdecimal()):
            raise OSError("nonnumeric port")
        port = int(digits)
    return host, port or default


def check_timeout(timeout: Any) -> None:
    """Refuse a socket that never waits.

    Raises:
        ValueError: the timeout is 0.
    """
    if timeout is not None and not timeout:
        raise ValueError("Non-blocking socket (timeout=0) is not supported")


def connect_tcp(link: Link, host: str, port: int, timeout: Any, source: Any) -> Any:
    """Connect by name or address.

    Raises:
        OSError: it cannot be.
    """
    from .. import compat

    connection = compat.socket.create_connection((host, port), timeout, source)
    try:
        set_no_delay(connection, link.options.settings)
    except OSError:
        connection.close()
        raise
    return connection


def connect_unix(path: str, timeout: Any) -> Any:
    """Connect to a Unix socket.

    Raises:
        OSError: it cannot be.
    """
    from .. import compat

    connection = compat.socket.socket(compat.socket.AF_UNIX, compat.socket.SOCK_STREAM)
    try:
        if timeout is not compat.socket._GLOBAL_DEFAULT_TIMEOUT:  # type: ignore[attr-defined]
            connection.settimeout(timeout)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def context_of(
    keyfile: Path | None, certfile: Path | None, context: ssl.SSLContext | None
) -> ssl.SSLContext | None:
    """Give the context for the arguments that Python 3.11 has.

    Raises:
        ValueError: they contradict each other.
    """
    if keyfile is None and certfile is None:
        return context
    if context is not None or certfile is None:
        name = "certfile" if keyfile is None else "keyfile"
        raise ValueError(f"context and {name} arguments are mutually exclusive")
    warnings.warn(
        "keyfile and certfile are deprecated, use a custom context instead",
        DeprecationWarning,
        stacklevel=3,
    )
    own = ssl.create_default_context()
    own.load_cert_chain(certfile, keyfile)
    return own


def secure(link: Link, connection: Any, context: ssl.SSLContext | None, host: str) -> Any:
    """Shake hands; the socket is closed if that fails.

    Args:
        context: the program's own; without it the library's, which verifies.
        host: the name that the certificate must bear.

    Raises:
        OSError: there is no TLS, or the certificate does not pass.
    """
    try:
        link.name_peer(host, link.options.mail_port)
        if context is None:
            context = context_for(PrepareTLS(link.options, verify=True))
        return context.wrap_socket(connection, server_hostname=server_name(link.options) or None)
    except BaseException:
        connection.close()
        raise
