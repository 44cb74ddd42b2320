"""The real servers do what the tests rely on, seen by a client that is not this package."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator

import pytest

from tests.support.dovecot import FULL, Dovecot
from tests.support.exim import Exim
from tests.support.opensmtpd import OpenSMTPD
from tests.support.postfix import Postfix
from tests.support.raw import RawClient
from tests.support.servers import DEFERRED, REFUSED, RealServer, fresh_address, require

CONTENT = b"Subject: x\r\nTo: <a@x.example>\r\n\r\n.dot\r\n..\r\n\r\n" + b"y" * 990 + b"\r\n\r\n"


@pytest.fixture
def client(real_server: RealServer) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(real_server.host, real_server.port, timeout=20) as client:
        if real_server.offers_tls:
            client.starttls(context=ssl.create_default_context(cafile=real_server.ca_file))
        client.ehlo()
        if real_server.user is not None and real_server.password is not None:
            client.login(real_server.user, real_server.password)
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


@pytest.mark.parametrize("name", ["exim", "dovecot", "smtp_server", "aiosmtpd"])
def test_a_wrong_password_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(name)
    assert server.user is not None
    with smtplib.SMTP(server.host, server.port, timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(server.user, "wrong")


@pytest.mark.parametrize("name", ["postfix", "exim", "dovecot", "smtp_server"])
def test_tls_from_the_first_byte_is_taken(name: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(name)
    assert server.implicit_port is not None
    context = ssl.create_default_context(cafile=server.ca_file)
    with smtplib.SMTP_SSL(server.host, server.implicit_port, context=context) as client:
        client.ehlo()
        if server.user is not None and server.password is not None:
            client.login(server.user, server.password)
        recipient = fresh_address()
        client.sendmail("a@x.example", [recipient], CONTENT)
        assert server.received(recipient).content == CONTENT


OFFERS = {
    "postfix": "PIPELINING SIZE VRFY ETRN ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING",
    "exim": "SIZE 8BITMIME DSN VRFY EXPN PIPELINING AUTH CHUNKING PRDR SMTPUTF8",
    "dovecot": "8BITMIME AUTH BURL CHUNKING DSN ENHANCEDSTATUSCODES PIPELINING SIZE",
    "opensmtpd": "8BITMIME ENHANCEDSTATUSCODES SIZE DSN",
    "smtp_server": "PIPELINING 8BITMIME SMTPUTF8 ENHANCEDSTATUSCODES DSN REQUIRETLS SIZE",
    "aiosmtpd": "SIZE 8BITMIME SMTPUTF8",
}


@pytest.mark.parametrize("real_server", OFFERS, indirect=True)
def test_what_the_tests_rely_on_is_offered(
    client: smtplib.SMTP, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["real_server"]
    assert set(OFFERS[name].lower().split()) <= set(client.esmtp_features)


@pytest.mark.parametrize(
    ("name", "mechanisms"),
    [
        ("exim", "PLAIN LOGIN CRAM-MD5"),
        ("dovecot", "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256"),
        ("smtp_server", "PLAIN LOGIN CRAM-MD5 XOAUTH2"),
        ("aiosmtpd", "LOGIN PLAIN"),
    ],
)
def test_mechanisms_are_offered(name: str, mechanisms: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(name)
    with smtplib.SMTP(server.host, server.port, timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        client.ehlo()
        assert client.esmtp_features["auth"].split() == mechanisms.split()


def test_opensmtpd_drops_a_client_that_pipelines(opensmtpd: OpenSMTPD) -> None:
    with RawClient(opensmtpd.host, opensmtpd.port) as client:
        client.reply()
        assert client.ask("EHLO client.example").startswith("250")
        client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n")
        assert "Pipelining not supported" in client.rest().decode()


def test_exim_verifies_and_expands(exim: Exim) -> None:
    with smtplib.SMTP(exim.host, exim.port) as client:
        client.ehlo()
        assert client.vrfy("one@kept.example")[0] == 250
        assert client.vrfy(REFUSED)[0] == 550
        code, text = client.expn("list@kept.example")
        assert (code, b"one@kept.example" in text, b"two@kept.example" in text) == (250, True, True)


def test_a_full_mailbox_of_dovecot_takes_the_recipient_and_no_message(dovecot: Dovecot) -> None:
    kept = fresh_address()
    with smtplib.LMTP(dovecot.host, dovecot.lmtp_port) as client:
        client.ehlo()
        client.mail("a@x.example")
        assert [client.rcpt(to)[0] for to in (REFUSED, DEFERRED, FULL, kept)] == [
            550,
            451,
            250,
            250,
        ]
        client.docmd("DATA")
        client.send(CONTENT.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert [client.getreply()[0] for _ in range(2)] == [552, 250]
    arrived = dovecot.mailbox(kept)
    assert (arrived.sender, arrived.content) == ("a@x.example", CONTENT)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"])
def test_postfix_offers_the_mechanisms_of_cyrus(mechanism: str, postfix: Postfix) -> None:
    with smtplib.SMTP(postfix.host, postfix.auth_port) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client.starttls(context=ssl.create_default_context(cafile=postfix.ca_file))
        client.ehlo()
        assert mechanism in client.esmtp_features["auth"].split()


def test_postfix_knows_who_logged_in(postfix: Postfix) -> None:
    recipient = fresh_address()
    with smtplib.SMTP(postfix.host, postfix.auth_port) as client:
        client.starttls(context=ssl.create_default_context(cafile=postfix.ca_file))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@x.example", [recipient], CONTENT)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(postfix.auth_user, "wrong")
        client.login(postfix.auth_user, postfix.auth_password)
        client.sendmail("a@x.example", [recipient], CONTENT)
    assert postfix.received(recipient).content == CONTENT
    assert f"sasl_username={postfix.auth_user}" in postfix.log


def test_postfix_asks_for_a_certificate_and_knows_one(postfix: Postfix) -> None:
    context = ssl.create_default_context(cafile=postfix.ca_file)
    with smtplib.SMTP(postfix.host, postfix.certificate_port) as client:
        client.starttls(context=context)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@x.example", [fresh_address()], CONTENT)
    context.load_cert_chain(postfix.client_certificate.pem_file)
    recipient = fresh_address()
    with smtplib.SMTP(postfix.host, postfix.certificate_port) as client:
        client.starttls(context=context)
        client.sendmail("a@x.example", [recipient], CONTENT)
    assert postfix.received(recipient).content == CONTENT


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
