"""aiosmtpd, a server in Python that is strict in other ways than the sink is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from smtps.testing.certificates import default_certificate

from .servers import DEFERRED, REFUSED, Arrived, RealServer, await_greeting, free_port

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
        self._handler = _Handler()
        self._controller = controller(
            self._handler,
            hostname=self.host,
            port=self.port,
            ident="aiosmtpd",
            enable_SMTPUTF8=True,
            tls_context=certificate.context,
            authenticator=_authenticate,
        )
        self._controller.start()
        await_greeting(self.host, self.port)

    def received(self, recipient: str, timeout: float = 10.0) -> Arrived:
        """Wait for the message to an address."""
        (message,) = self._handler.received(lambda one: recipient in one.recipients, 1, timeout)
        return message

    def received_from(self, domain: str, count: int, timeout: float = 30.0) -> list[Arrived]:
        """Wait for so many messages with a sender at this domain."""
        return self._handler.received(lambda one: one.sender.endswith(f"@{domain}"), count, timeout)

    def stop(self) -> None:
        """Stop it."""
        self._controller.stop()


class _Handler:
    """Keep what comes, byte for byte."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrived: list[Arrived] = []

    def received(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = list(filter(wanted, self._arrived))
                if len(found) >= count:
                    return found
                if not self._changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"{len(found)} of {count} messages in {timeout:g} s")

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
        with self._changed:
            self._arrived.append(
                Arrived(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content)
            )
            self._changed.notify_all()
        return "250 2.0.0 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    from aiosmtpd.smtp import AuthResult

    known = (data.login, data.password) == (_USER.encode(), _PASSWORD.encode())
    # Not handled: the server sends the 535 itself.
    return AuthResult(success=known, handled=False)
