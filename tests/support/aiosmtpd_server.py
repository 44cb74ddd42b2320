"""aiosmtpd, a server in Python that is strict in other ways than the sink is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smtps.testing.certificates import default_certificate

from .servers import DEFERRED, REFUSED, Arrived, RealServer, Shelf, await_greeting, free_port

__all__ = ["Aiosmtpd"]

_USER, _PASSWORD = "user", "secret"


class Aiosmtpd(RealServer):
    """A running aiosmtpd with STARTTLS and AUTH, in a thread."""

    name = "aiosmtpd"
    host = "127.0.0.1"
    implicit_port = None
    user = _USER
    password = _PASSWORD
    discarded = None

    def __init__(self) -> None:
        controller = pytest.importorskip("aiosmtpd.controller", exc_type=ImportError).Controller
        certificate = default_certificate()
        self.ca_file = certificate.ca_file
        self.port = free_port()
        self._shelf = Shelf()
        self._controller = controller(
            _Handler(self._shelf),
            hostname=self.host,
            port=self.port,
            ident="aiosmtpd",
            enable_SMTPUTF8=True,
            tls_context=certificate.context,
            authenticator=_authenticate,
        )
        self._controller.start()
        await_greeting(self.host, self.port)

    def arrivals(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        """Wait until there are so many of the wanted messages, and give all of them."""
        return self._shelf.arrivals(wanted, count, timeout)

    def stop(self) -> None:
        """Stop it."""
        self._controller.stop()


class _Handler:
    """Keep what comes, byte for byte."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address == REFUSED:
            return "550 5.1.1 No such user"
        if address == DEFERRED:
            return "450 4.2.1 Mailbox busy"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        people = tuple(envelope.rcpt_tos)
        self._shelf.put(Arrived(envelope.mail_from or "", people, envelope.original_content))
        return "250 2.0.0 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    from aiosmtpd.smtp import AuthResult

    known = (data.login, data.password) == (_USER.encode(), _PASSWORD.encode())
    # Not handled: the server sends the 535 itself.
    return AuthResult(success=known, handled=False)
