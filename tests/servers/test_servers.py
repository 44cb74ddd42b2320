"""The real servers do what the tests rely on, seen by a client that is not this package."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator

import pytest

from tests.support.aiosmtpd_server import Aiosmtpd
from tests.support.postfix import Postfix
from tests.support.servers import DEFERRED, REFUSED, RealServer, fresh_address, require

CONTENT = b"Subject: x\r\nTo: <a@x.example>\r\n\r\n.dot\r\n..\r\n\r\n" + b"y" * 990 + b"\r\n\r\n"


@pytest.fixture
def client(real_server: RealServer) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(real_server.host, real_server.port, timeout=20) as client:
        if real_server.offers_tls:
            client.starttls(context=ssl.create_default_context(cafile=real_server.ca_file))
        client.ehlo()
        yield client


def test_a_message_arrives_byte_for_byte(client: smtplib.SMTP, real_server: RealServer) -> None:
    one, two = fresh_address(), fresh_address()
    assert client.sendmail("a@x.example", [one, two], CONTENT) == {}
    arrived = real_server.received(one)
    assert arrived.content == CONTENT
    assert arrived.sender == "a@x.example"
    assert sorted(arrived.recipients) == [one, two]


def test_one_recipient_is_refused_and_one_deferred(
    client: smtplib.SMTP, real_server: RealServer
) -> None:
    kept = fresh_address()
    refused = client.sendmail("a@x.example", [REFUSED, kept, DEFERRED], CONTENT)
    assert {address: code for address, (code, _) in refused.items()} == {
        REFUSED: 550,
        DEFERRED: 450,
    }
    assert real_server.received(kept).recipients == (kept,)


def test_what_did_not_come_is_not_received(real_server: RealServer) -> None:
    with pytest.raises(TimeoutError):
        real_server.received(fresh_address(), timeout=0.05)


def test_aiosmtpd_knows_its_user(aiosmtpd: Aiosmtpd) -> None:
    with smtplib.SMTP(aiosmtpd.host, aiosmtpd.port, timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=aiosmtpd.ca_file))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(aiosmtpd.user, "wrong")
        assert client.login(aiosmtpd.user, aiosmtpd.password)[0] == 235


def test_postfix_takes_tls_from_the_first_byte(postfix: Postfix) -> None:
    context = ssl.create_default_context(cafile=postfix.ca_file)
    with smtplib.SMTP_SSL(postfix.host, postfix.implicit_port, context=context) as client:
        recipient = fresh_address()
        client.sendmail("a@x.example", [recipient], CONTENT)
        assert postfix.received(recipient).content == CONTENT


def test_postfix_offers_pipelining_and_chunking(postfix: Postfix) -> None:
    with smtplib.SMTP(postfix.host, postfix.port) as client:
        client.ehlo()
        for extension in ("pipelining", "chunking", "dsn", "smtputf8", "8bitmime", "starttls"):
            assert client.has_extn(extension)


def test_postfix_leaves_long_lines_and_odd_fields_alone(postfix: Postfix) -> None:
    fields = b"Bcc: c@x.example\r\nReturn-Path: <d@x.example>\r\nContent-Length: 3\r\n"
    content = fields + b"\r\n" + b"z" * 100_000 + b"\r\n \t\r\n" + bytes(range(128, 256)) + b"\r\n"
    recipient = fresh_address()
    with smtplib.SMTP(postfix.host, postfix.port) as client:
        client.sendmail("a@x.example", [recipient], content, mail_options=["BODY=8BITMIME"])
    assert postfix.received(recipient).content == content


def test_postfix_refuses_bare_newlines(postfix: Postfix) -> None:
    with smtplib.SMTP(postfix.host, postfix.port) as client:
        client.ehlo()
        client.mail("a@x.example")
        client.rcpt(fresh_address())
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\nbare\nnewline\r\n.\r\n")
        assert client.getreply()[0] == 550


def test_postfix_throws_away_what_is_for_nobody(postfix: Postfix) -> None:
    with smtplib.SMTP(postfix.host, postfix.port) as client:
        assert client.sendmail("a@x.example", [postfix.discarded], CONTENT) == {}


@pytest.mark.parametrize(("required", "outcome"), [("0", "Skipped"), ("1", "Failed")])
def test_a_missing_server_skips_and_fails_where_servers_are_required(
    required: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPS_REQUIRE_SERVERS", required)
    with pytest.raises(BaseException, match="apt-get install nothing") as caught:
        require("no-such-program", "nothing")
    assert type(caught.value).__name__ == outcome
