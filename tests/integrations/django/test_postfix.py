"""Django's mail through a real Postfix."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMessage, send_mail

from tests.support.postfix import Postfix
from tests.support.servers import REFUSED, fresh_address

from .conftest import mail, mailer, silent

MANY = 10_000


@pytest.fixture
def options(postfix: Postfix) -> dict[str, Any]:
    """The options for it, with TLS."""
    return {
        "host": "localhost",
        "port": postfix.port,
        "use_tls": True,
        "openssl_ca_file": postfix.ca_file,
    }


def test_send_mail_delivers(postfix: Postfix, options: dict[str, Any]) -> None:
    recipient = fresh_address()
    with mail(**options):
        assert send_mail("Grüße", "Hello Zoë\n", "Ann <ann@a.example>", [recipient]) == 1
    arrived = postfix.received(recipient)
    assert arrived.sender == "ann@a.example"
    assert b"Subject: =?utf-8?" in arrived.content
    assert "Hello Zoë\r\n".encode() in arrived.content


def test_a_mass_mailing_of_ten_thousand_is_delivered(
    postfix: Postfix, options: dict[str, Any]
) -> None:
    messages = [
        EmailMessage(f"News {n}", "What is new.\n", "news@a.example", [f"d{n}@discarded.example"])
        for n in range(MANY)
    ]
    messages[MANY // 2].to = [REFUSED]
    quiet, arguments = silent()
    with mail(**options, **quiet):
        assert mailer(**arguments).send_messages(messages) == MANY - 1
    assert [n for n, message in enumerate(messages) if not message.smtps_receipt.ok] == [MANY // 2]
    taken = [message.smtps_receipt.reply for message in messages if message.smtps_receipt.ok]
    # Postfix names the file of each: queued as 4F...
    assert len({reply.text.rpartition(" ")[2] for reply in taken}) == MANY - 1
