"""Kerberos against a real centre and the acceptor of the GSSAPI library.

Not part of the suite, as its packages take minutes to build: `make kerberos` runs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import spnego

from smtps import AuthenticationRefused, AuthMechanism, BadValue, ProtocolError, SMTPSError
from smtps.testing import AuthExchange, Sink
from tests.kerberos.kdc import PASSWORD, USER, Realm
from tests.support.fronts import Front

#: The layers that a server offers: none, integrity, confidentiality. RFC 4752, section 3.3.
NONE, INTEGRITY = 1, 2


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A realm that this process uses."""
    before = dict(os.environ)
    realm = Realm(tmp_path_factory.mktemp("realm"))
    os.environ.update(realm.environment)
    yield realm
    realm.stop()
    os.environ.clear()
    os.environ.update(before)


def accepting(layers: int = NONE) -> Sink:
    def act(exchange: AuthExchange) -> str | None:
        server = spnego.server(hostname="localhost", service="smtp", protocol="kerberos")
        answer = server.step(exchange.first())
        while not server.complete:
            answer = server.step(exchange.ask(answer or b""))
        if answer:
            assert exchange.ask(answer) == b""
        offer = server.wrap(bytes((layers, 0, 0, 0)), encrypt=False).data
        choice = server.unwrap(exchange.ask(offer)).data
        assert choice[:4] == b"\1\0\0\0"
        return f"{server.client_principal} as {choice[4:].decode()}"

    return Sink(tls="starttls", mechanisms={"GSSAPI": act})


def make(front: Front, sink: Sink, **options: Any) -> Any:
    return front.make(
        mail_server="localhost",
        mail_port=sink.port,
        ssl_start_mode=2,
        openssl_ca_file=sink.ca_file,
        auth_mechanism=AuthMechanism.KERBEROS,
        **options,
    )


def test_a_user_with_a_password_logs_in(front: Front, realm: Realm) -> None:
    with accepting() as sink:
        front.connect(make(front, sink, user=USER, password=PASSWORD))
        assert sink.connections[0].user == f"{USER} as {USER}"


def test_the_ticket_of_the_cache_logs_in_without_a_user(front: Front, realm: Realm) -> None:
    realm.log_in()
    with accepting() as sink:
        front.connect(make(front, sink))
        assert sink.connections[0].user == f"{USER} as "


def test_it_can_be_asked_to_act_as_another(front: Front, realm: Realm) -> None:
    with accepting() as sink:
        smtp = make(front, sink, user=USER, password=PASSWORD, authorization_identity="boss")
        front.connect(smtp)
        assert sink.connections[0].user == f"{USER} as boss"


def test_a_wrong_password_is_an_error_of_the_credentials(front: Front, realm: Realm) -> None:
    with accepting() as sink:
        with pytest.raises(SMTPSError) as caught:
            front.connect(make(front, sink, user=USER, password="wrong-pass"))
        assert isinstance(caught.value, BadValue)
        assert "wrong-pass" not in str(caught.value)


def test_a_server_that_demands_a_security_layer_is_left(front: Front, realm: Realm) -> None:
    with accepting(INTEGRITY) as sink:
        with pytest.raises(ProtocolError, match="security layer"):
            front.connect(make(front, sink, user=USER, password=PASSWORD))


def test_a_server_without_the_key_of_the_service_is_left(front: Front, realm: Realm) -> None:
    def impostor(exchange: AuthExchange) -> str:
        exchange.first()
        exchange.ask(b"not a token of the service")
        return "anyone"

    with Sink(tls="starttls", mechanisms={"GSSAPI": impostor}) as sink:
        with pytest.raises(ProtocolError):
            front.connect(make(front, sink, user=USER, password=PASSWORD))


def test_an_acceptance_before_the_server_is_known_is_refused(front: Front, realm: Realm) -> None:
    with Sink(tls="starttls", mechanisms={"GSSAPI": lambda exchange: "anyone"}) as sink:
        with pytest.raises(ProtocolError):
            front.connect(make(front, sink, user=USER, password=PASSWORD))


def test_a_refusal_has_the_words_of_the_server(front: Front, realm: Realm) -> None:
    with Sink(tls="starttls", mechanisms={"GSSAPI": lambda exchange: None}) as sink:
        with pytest.raises(AuthenticationRefused, match="GSSAPI was refused"):
            front.connect(make(front, sink, user=USER, password=PASSWORD))
