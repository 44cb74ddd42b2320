"""Where Django's options say that mail goes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from ...client import SMTPS
from ...enumerations import SSLStartMode
from ...pool import Pool
from ..pem import client_certificate

__all__ = ["Relay", "own_options"]

_POOLING = frozenset(
    ("connections", "max_age", "max_idle", "max_messages", "per_connection", "rate")
)
# What Django has options of its own for.
_TAKEN = frozenset(("mail_server", "mail_port", "user", "password", "timeout", "ssl_start_mode"))


def own_options(options: dict[str, Any]) -> dict[str, Any]:
    """Take out the options that are for a pool or a connection, and leave those for Django."""
    names = [name for name in options if name in _POOLING or _is_of_connection(name)]
    return {name: options.pop(name) for name in names}


def _is_of_connection(name: str) -> bool:
    found = SMTPS.find_option(name) or _settings.find_option(name)
    return found is not None and found.attribute == name and name not in _TAKEN


_settings = type(SMTPS().settings)


class Relay(NamedTuple):
    """A relay in Django's words. Equal ones share a pool."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    use_ssl: bool
    timeout: float | None
    ssl_keyfile: str | Path | None
    ssl_certfile: str | Path | None
    own: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        return f"<Relay {self.host}:{self.port}>"

    def make_pool(self) -> Pool:
        """Make the pool; nothing is connected yet.

        Raises:
            BadValue: an option cannot be used, or the certificate cannot be read.
        """
        options = dict(self.own)
        pooling = {name: options.pop(name) for name in tuple(options) if name in _POOLING}
        options |= self._connection()
        # What is wrong is told now, and the certificate is read once.
        SMTPS(**options)
        return Pool(lambda: SMTPS(**options), **pooling)

    def _connection(self) -> dict[str, Any]:
        mode = SSLStartMode.NONE
        if self.use_ssl or self.use_tls:
            mode = SSLStartMode.IMPLICIT if self.use_ssl else SSLStartMode.EXPLICIT
        options: dict[str, Any] = {
            "mail_server": self.host,
            "mail_port": int(self.port),
            "ssl_start_mode": mode,
        }
        # Django logs in only where it has both.
        if self.username and self.password:
            options |= {"user": str(self.username), "password": str(self.password)}
        if self.timeout is not None:
            options["timeout"] = math.ceil(self.timeout)
        if self.ssl_certfile or self.ssl_keyfile:
            options["ssl_cert"] = client_certificate(
                ssl_certfile=self.ssl_certfile, ssl_keyfile=self.ssl_keyfile
            )
        return options
