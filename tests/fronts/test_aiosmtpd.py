"""aiosmtpd, a server without PIPELINING: each command waits for its reply."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller

from smtps import Envelope
from tests.support.fronts import Front

CONTENT = b"Subject: x\n\n.dot\r..\n8 bits: \xc3\xa4\n"


class _Keeper:
    """Keep the content of every message."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("gone@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 OK"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Start one server for the tests of this file."""
    keeper = _Keeper()
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    controller = Controller(
        keeper, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True
    )
    controller.start()
    url = f"smtp://127.0.0.1:{port}?openssl_ca_file={ca_file}"
    yield SimpleNamespace(url=url, kept=keeper.kept)
    controller.stop()


def test_a_message_arrives_as_it_was_given(front: Front, server: SimpleNamespace) -> None:
    smtp = front.at(server.url)
    people = ["x@y.example", "gone@y.example"]
    receipt = front.send(smtp, (Envelope("a@b.example", people), CONTENT))
    assert receipt.refused == ("gone@y.example",)
    sender, recipients, content = server.kept[-1]
    assert (sender, recipients) == ("a@b.example", ["x@y.example"])
    assert content == b"Subject: x\r\n\r\n.dot\r\n..\r\n8 bits: \xc3\xa4\r\n"
