"""Both components log in at real servers, by every mechanism that these have."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import AuthenticationRefused, AuthMechanism, Envelope, PITrail, Token
from tests.support.fronts import Front
from tests.support.postfix import Postfix
from tests.support.servers import RealServer, fresh_address

#: The server's fixture, what is named to the component, and what crosses the wire.
EXCHANGES = [
    ("dovecot", AuthMechanism.SASL_PLAIN, "PLAIN"),
    ("dovecot", AuthMechanism.USER_PASSWORD, "LOGIN"),
    ("dovecot", AuthMechanism.CRAM_MD5, "CRAM-MD5"),
    ("dovecot", AuthMechanism.SASL_DIGEST_MD5, "DIGEST-MD5"),
    ("dovecot", AuthMechanism.SCRAM_SHA_1, "SCRAM-SHA-1"),
    ("dovecot", AuthMechanism.SCRAM_SHA_256, "SCRAM-SHA-256"),
    ("dovecot", None, "SCRAM-SHA-256"),
    ("exim", AuthMechanism.SASL_PLAIN, "PLAIN"),
    ("exim", AuthMechanism.USER_PASSWORD, "LOGIN"),
    ("exim", AuthMechanism.CRAM_MD5, "CRAM-MD5"),
    ("exim", None, "CRAM-MD5"),
    ("smtp_server", AuthMechanism.SASL_PLAIN, "PLAIN"),
    ("smtp_server", AuthMechanism.USER_PASSWORD, "LOGIN"),
    ("smtp_server", AuthMechanism.CRAM_MD5, "CRAM-MD5"),
    ("smtp_server", None, "CRAM-MD5"),
    ("aiosmtpd", AuthMechanism.SASL_PLAIN, "PLAIN"),
    ("aiosmtpd", AuthMechanism.USER_PASSWORD, "LOGIN"),
    ("aiosmtpd", None, "PLAIN"),
]
IDS = [
    f"{server}-{wire}{'' if named is not None else '-chosen'}" for server, named, wire in EXCHANGES
]


@pytest.fixture(params=EXCHANGES, ids=IDS)
def exchange(request: pytest.FixtureRequest) -> tuple[RealServer, dict[str, Any], str]:
    name, named, wire = request.param
    options = {} if named is None else {"auth_mechanism": named}
    return request.getfixturevalue(name), options, wire


def make(front: Front, server: RealServer, **options: Any) -> Any:
    return front.make(
        mail_server=server.host,
        mail_port=server.port,
        ssl_start_mode=2,
        openssl_ca_file=server.ca_file,
        **options,
    )


def test_a_message_is_sent_after_logging_in(
    front: Front, exchange: tuple[RealServer, dict[str, Any], str]
) -> None:
    server, options, wire = exchange
    smtp = make(front, server, user=server.user, password=server.password, **options)
    said: list[str] = []

    def listen(event: PITrail) -> None:
        said.append(event.message)

    smtp.on_pi_trail = listen
    recipient = fresh_address()
    front.send(smtp, (Envelope("a@b.example", [recipient]), b"Subject: x\r\n\r\nx\r\n"))
    assert server.received(recipient).recipients == (recipient,)
    assert [line.split()[1] for line in said if line.startswith("AUTH ")] == [wire]


def test_a_wrong_password_is_refused_with_the_words_of_the_server(
    front: Front, exchange: tuple[RealServer, dict[str, Any], str]
) -> None:
    server, options, wire = exchange
    smtp = make(front, server, user=server.user, password="wrong", **options)
    with pytest.raises(AuthenticationRefused) as caught:
        front.connect(smtp)
    assert caught.value.reply.code == 535
    assert caught.value.mechanism == wire
    assert not smtp.connected


@pytest.mark.parametrize("name", ["SASL_DIGEST_MD5", "SCRAM_SHA_1", "SCRAM_SHA_256"])
def test_a_user_with_a_domain_logs_in_at_dovecot(
    front: Front, dovecot: RealServer, name: str
) -> None:
    # Any user passes there with the one password.
    options = {"user": "joe@elsewhere.example", "password": dovecot.password}
    smtp = make(front, dovecot, **options, auth_mechanism=AuthMechanism[name])
    front.connect(smtp)
    assert smtp.connected


@pytest.mark.parametrize("name", ["SCRAM_SHA_1", "SCRAM_SHA_256"])
def test_servers_without_plus_take_a_client_that_could_bind(
    front: Front, dovecot: RealServer, postfix: Postfix, name: str
) -> None:
    # With TLS 1.2 Python knows tls-unique, and the client says that it could use it.
    options = {
        "ssl_enabled_protocols": 0xC00,
        "ssl_start_mode": 2,
        "auth_mechanism": AuthMechanism[name],
        "password": "secret",
        "user": "user",
    }
    for server, port in ((dovecot, dovecot.port), (postfix, postfix.auth_port)):
        smtp = front.make(
            mail_server=server.host, mail_port=port, openssl_ca_file=server.ca_file, **options
        )
        front.connect(smtp)
        assert smtp.connected
        assert smtp._live.tls.version == "TLSv1.2"


def test_smtp_server_takes_a_token_and_explains_why_it_takes_no_other(
    front: Front, smtp_server: Any
) -> None:
    smtp = make(front, smtp_server, user=smtp_server.user, token_provider=lambda: "no-token")
    with pytest.raises(AuthenticationRefused, match=r"XOAUTH2 was refused \(401\)"):
        front.connect(smtp)
    tokens = iter([Token("no-token"), Token(smtp_server.token)])
    smtp = make(front, smtp_server, user=smtp_server.user, token_provider=lambda: next(tokens))
    front.connect(smtp)
    assert smtp.connected
    bearer = f"Bearer {smtp_server.token}"
    smtp = make(front, smtp_server, user=smtp_server.user, authorization_identity=bearer)
    front.connect(smtp)
    assert smtp.connected


@pytest.mark.parametrize(
    ("named", "wire"),
    [
        (AuthMechanism.SASL_PLAIN, "PLAIN"),
        (AuthMechanism.USER_PASSWORD, "LOGIN"),
        (AuthMechanism.CRAM_MD5, "CRAM-MD5"),
        (AuthMechanism.SASL_DIGEST_MD5, "DIGEST-MD5"),
        (AuthMechanism.SCRAM_SHA_1, "SCRAM-SHA-1"),
        (AuthMechanism.SCRAM_SHA_256, "SCRAM-SHA-256"),
        (AuthMechanism.NTLM, "NTLM"),
        (None, "SCRAM-SHA-256"),
    ],
)
def test_postfix_relays_for_who_logged_in(
    front: Front, postfix: Postfix, named: AuthMechanism | None, wire: str
) -> None:
    options = {} if named is None else {"auth_mechanism": named}
    smtp = front.make(
        mail_server=postfix.host,
        mail_port=postfix.auth_port,
        ssl_start_mode=2,
        openssl_ca_file=postfix.ca_file,
        user=postfix.auth_user,
        password=postfix.auth_password,
        **options,
    )
    said: list[str] = []
    smtp.on_pi_trail = lambda event: said.append(event.message)
    recipient = fresh_address()
    front.send(smtp, (Envelope("a@b.example", [recipient]), b"Subject: x\r\n\r\nx\r\n"))
    assert postfix.received(recipient).recipients == (recipient,)
    assert [line.split()[1] for line in said if line.startswith("AUTH ")] == [wire]
