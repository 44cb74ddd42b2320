"""smtplib's classes over this package's engine, at real servers."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import closing
from email.message import EmailMessage

import pytest

from smtps import compat
from tests.support.servers import DEFERRED, REFUSED, RealServer, fresh_address

CONTENT = b"Subject: x\n\n.\n..\nlast\n"
ARRIVES = b"Subject: x\r\n\r\n.\r\n..\r\nlast\r\n"
SENDER = "s@x.example"

#: Each server, in the ways in which it takes mail: Dovecot wants a login, which needs TLS.
PLACES = [
    ("postfix", "clear"),
    ("postfix", "starttls"),
    ("postfix", "implicit"),
    ("exim", "clear"),
    ("exim", "starttls"),
    ("exim", "implicit"),
    ("dovecot", "starttls"),
    ("dovecot", "implicit"),
    ("smtp_server", "clear"),
    ("smtp_server", "starttls"),
    ("smtp_server", "implicit"),
    ("aiosmtpd", "starttls"),
    ("opensmtpd", "clear"),
]


@pytest.fixture(params=PLACES, ids=["-".join(place) for place in PLACES])
def place(request: pytest.FixtureRequest) -> tuple[RealServer, str]:
    name, security = request.param
    return request.getfixturevalue(name), security


@pytest.fixture
def server(place: tuple[RealServer, str]) -> RealServer:
    return place[0]


@pytest.fixture
def connect(place: tuple[RealServer, str]) -> Callable[[], smtplib.SMTP]:
    """Connect as asked, and log in where the server knows anybody and TLS is up."""
    server, security = place

    def make() -> smtplib.SMTP:
        if security == "clear":
            return compat.SMTP(server.host, server.port, timeout=30)
        trust = ssl.create_default_context(cafile=server.ca_file)
        smtp: smtplib.SMTP
        if security == "implicit":
            assert server.implicit_port is not None
            smtp = compat.SMTP_SSL(server.host, server.implicit_port, timeout=30, context=trust)
        else:
            smtp = compat.SMTP(server.host, server.port, timeout=30)
            smtp.starttls(context=trust)
        if server.user and server.password:
            assert smtp.login(server.user, server.password)[0] == 235
        return smtp

    return make


def test_messages_arrive_one_after_the_other(
    connect: Callable[[], smtplib.SMTP], server: RealServer
) -> None:
    recipients = [fresh_address() for _ in range(3)]
    with connect() as smtp:
        for recipient in recipients:
            assert smtp.sendmail(SENDER, recipient, CONTENT) == {}
    for recipient in recipients:
        arrived = server.received(recipient)
        assert (arrived.sender, arrived.content) == (SENDER, ARRIVES)


def test_a_message_of_the_email_package_arrives(
    connect: Callable[[], smtplib.SMTP], server: RealServer
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, fresh_address(), "x"
    message.set_content("Grüße\n" * 20_000)
    with connect() as smtp:
        assert smtp.send_message(message) == {}
    assert b"Gr" in server.received(message["To"]).content


def test_refused_recipients_are_told_with_the_words_of_the_server(
    connect: Callable[[], smtplib.SMTP], server: RealServer
) -> None:
    accepted = fresh_address()
    with connect() as smtp:
        refused = smtp.sendmail(SENDER, [REFUSED, accepted, DEFERRED], CONTENT)
        assert {address: code // 100 for address, (code, _) in refused.items()} == {
            REFUSED: 5,
            DEFERRED: 4,
        }
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            smtp.sendmail(SENDER, [REFUSED, DEFERRED], CONTENT)
        assert caught.value.recipients == refused
        assert smtp.noop()[0] == 250
    assert server.received(accepted).recipients == (accepted,)


def test_a_connection_that_is_lost_is_made_anew(
    connect: Callable[[], smtplib.SMTP], server: RealServer
) -> None:
    recipient = fresh_address()
    with closing(connect()) as smtp:
        assert smtp.docmd("QUIT")[0] == 221
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail(SENDER, recipient, CONTENT)
        assert smtp.sock is None
    with connect() as smtp:
        assert smtp.sendmail(SENDER, recipient, CONTENT) == {}
    assert server.received(recipient).content == ARRIVES
