"""Take up the TLS session of the last connection, which saves certificates and signatures."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from ..properties import ConnectionProperties

__all__ = ["Earlier", "Resumption"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A session that may be resumed, and the chain that was shown when it began."""

    host: str
    port: int
    chain: tuple[bytes, ...]
    session: ssl.SSLSession
    context: ssl.SSLContext
    process: int


class Resumption:
    """Remembers one session, of the last connection.

    It is offered to the same server only, and under the same context: what was demanded of the
    server's certificate then is what is demanded now. Not in a forked child, which would use its
    parent's tickets a second time.
    """

    def __init__(self) -> None:
        self._begun: tuple[str, int, tuple[bytes, ...]] | None = None
        self._earlier: Earlier | None = None

    def find(self, options: ConnectionProperties, context: ssl.SSLContext) -> Earlier | None:
        """Give the session to offer, if there is one and the options allow it."""
        found = self._earlier
        if not options.settings.reuse_ssl_session or found is None:
            return None
        here = (options.mail_server, options.mail_port, os.getpid())
        is_same = found.context is context and (found.host, found.port, found.process) == here
        return found if is_same else None

    def began(self, options: ConnectionProperties, chain: tuple[bytes, ...]) -> None:
        """Note a finished handshake."""
        is_wanted = options.settings.reuse_ssl_session
        self._begun = (options.mail_server, options.mail_port, chain) if is_wanted else None

    def ended(self, connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        """Keep the session of a connection about to close; in TLS 1.3 tickets come late."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        try:
            session = connection.session
        except ValueError:
            return  # OpenSSL cannot copy it, and then it cannot be resumed either.
        if session is not None:
            self._earlier = Earlier(*begun, session, connection.context, os.getpid())
