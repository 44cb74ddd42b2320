"""Logging in from both components, at a sink that knows the mechanisms from the other side."""

from __future__ import annotations

import base64
import pickle
import ssl
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spnego
from cryptography.x509.oid import ExtendedKeyUsageOID
from spnego.channel_bindings import GssChannelBindings

from smtps import (
    AuthenticationRefused,
    AuthMechanism,
    BadValue,
    NotOffered,
    ProtocolError,
    SMTPSError,
)
from smtps.testing import AuthExchange, Sink
from smtps.testing.auth import MECHANISMS
from tests.support.chains import Chains
from tests.support.concealed import SECRET
from tests.support.concealed import shown as forms_shown
from tests.support.fronts import Front
from tests.support.logins import connection, sink_with

PASSWORD_MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]

OAUTH = ["XOAUTH2", "OAUTHBEARER"]

PLUS = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]


def options_for(sink: Sink, mechanism: str, secret: str = SECRET) -> dict[str, Any]:
    secrets = {"authorization_identity" if mechanism in OAUTH else "password": secret}
    return {**connection(sink), **secrets}


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS + OAUTH)
def test_each_mechanism_is_taken_by_a_server_that_knows_it(front: Front, mechanism: str) -> None:
    with sink_with(mechanism) as sink:
        front.connect(front.make(**options_for(sink, mechanism)))
        assert (sink.connections[0].user, sink.connections[0].mechanism) == ("joe", mechanism)


@pytest.mark.parametrize("mechanism", [*PASSWORD_MECHANISMS, *OAUTH])
def test_a_wrong_secret_is_refused(front: Front, mechanism: str) -> None:
    with sink_with(mechanism) as sink:
        smtp = front.make(**options_for(sink, mechanism, "wrong"))
        with pytest.raises(AuthenticationRefused) as caught:
            front.connect(smtp)
        assert caught.value.reply.code == 535
        assert caught.value.mechanism == mechanism
        assert not smtp.connected


def test_the_strongest_is_chosen_over_tls(front: Front) -> None:
    with sink_with(*PASSWORD_MECHANISMS) as sink:
        front.connect(front.make(**options_for(sink, "")))
        assert sink.connections[0].mechanism == "SCRAM-SHA-256"


def test_a_password_of_any_script_is_the_same_on_both_sides(front: Front) -> None:
    for mechanism in PASSWORD_MECHANISMS:
        with sink_with(mechanism, password="pässwörd ж") as sink:
            front.connect(front.make(**options_for(sink, mechanism, "pässwörd ж")))
            assert sink.connections[0].user == "joe"


# --- channel binding ------------------------------------------------------------------------------


@pytest.fixture
def old_tls(authority: Any) -> Any:
    certificate = authority.issue()
    certificate.context.maximum_version = ssl.TLSVersion.TLSv1_2
    return certificate


def test_plus_is_chosen_where_tls_gives_what_servers_expect(front: Front, old_tls: Any) -> None:
    with sink_with(*PASSWORD_MECHANISMS, *PLUS, certificate=old_tls) as sink:
        front.connect(front.make(**options_for(sink, "")))
        assert sink.connections[0].tls == "TLSv1.2"
        assert sink.connections[0].mechanism == "SCRAM-SHA-256-PLUS"
        assert sink.connections[0].user == "joe"


@pytest.mark.parametrize(
    "named", [AuthMechanism.SCRAM_SHA_1_PLUS, AuthMechanism.SCRAM_SHA_256_PLUS]
)
def test_plus_binds_to_the_certificate_where_it_is_named(front: Front, named: Any) -> None:
    with sink_with(*PLUS) as sink:
        front.connect(front.make(**options_for(sink, ""), auth_mechanism=named))
        assert sink.connections[0].tls == "TLSv1.3"
        assert sink.connections[0].user == "joe"


def test_the_kind_of_binding_can_be_chosen(front: Front) -> None:
    with sink_with("SCRAM-SHA-256", *PLUS) as sink:
        kind = "tls-server-end-point"
        front.connect(front.make(**options_for(sink, ""), channel_binding=kind))
        assert sink.connections[0].mechanism == "SCRAM-SHA-256-PLUS"


def test_a_server_that_hides_plus_would_be_found_out(front: Front, old_tls: Any) -> None:
    # RFC 5802 6: "y" tells a server that has -PLUS that somebody took it out of its offer.
    said: list[bytes] = []
    with Sink(
        tls="starttls",
        certificate=old_tls,
        mechanisms={"SCRAM-SHA-256": lambda exchange: said.append(exchange.first())},
    ) as sink:
        with pytest.raises(AuthenticationRefused):
            front.connect(front.make(**options_for(sink, "")))
    assert said[0].startswith(b"y,,n=joe,")


def test_plus_binds_to_a_session_that_was_taken_up_again(front: Front, old_tls: Any) -> None:
    with sink_with(*PLUS, certificate=old_tls) as sink:
        smtp = front.make(**options_for(sink, ""), reuse_ssl_session=True)
        for number in range(2):
            front.connect(smtp)
            assert smtp._live.tls.resumed == bool(number)
            assert sink.connections[number].user == "joe"
            front.disconnect(smtp)


def test_a_kind_of_binding_that_is_not_there_is_an_error(front: Front) -> None:
    with sink_with(*PLUS) as sink:
        smtp = front.make(
            **options_for(sink, ""),
            channel_binding="tls-unique",
            auth_mechanism=AuthMechanism.SCRAM_SHA_256_PLUS,
        )
        with pytest.raises(BadValue) as caught:
            front.connect(smtp)
        assert caught.value.field == "channel_binding"


def test_an_exchange_that_someone_passes_on_is_refused(front: Front, authority: Any) -> None:
    # What the client is bound to is not what the server sees.
    with sink_with(*PLUS, certificate=authority.issue()) as sink:
        object.__setattr__(sink._service, "end_point", b"another certificate")
        smtp = front.make(**options_for(sink, ""), auth_mechanism=AuthMechanism.SCRAM_SHA_256_PLUS)
        with pytest.raises(AuthenticationRefused, match="channel-bindings-dont-match"):
            front.connect(smtp)


def test_a_kind_of_binding_that_the_server_does_not_know_is_reported(front: Front) -> None:
    with sink_with(*PLUS) as sink:
        object.__setattr__(sink._service, "end_point", b"")
        smtp = front.make(**options_for(sink, ""), auth_mechanism=AuthMechanism.SCRAM_SHA_256_PLUS)
        with pytest.raises(AuthenticationRefused, match="unsupported-channel-binding-type"):
            front.connect(smtp)


# --- a certificate, and NTLM ---------------------------------------------------------------------


def digest_md5(exchange: AuthExchange) -> str | None:
    exchange.ask(b'realm="r",nonce="n",qop="auth",algorithm=md5-sess,charset=utf-8')
    exchange.ask(b"rspauth=0123456789abcdef0123456789abcdef")
    return None


def ntlm(exchange: AuthExchange) -> str | None:
    server = spnego.server(hostname="localhost", service="smtp", protocol="ntlm")
    try:
        server.step(exchange.ask(server.step(exchange.first()) or b""))
    except spnego.exceptions.SpnegoError:
        return None
    return server.client_principal


@pytest.fixture
def ntlm_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pyspnego's acceptor know the user."""
    (tmp_path / "users").write_text(f"DOMAIN:joe:{SECRET}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))


def test_a_certificate_logs_in_without_a_password(front: Front, tmp_path: Path) -> None:
    def external(exchange: AuthExchange) -> str | None:
        return exchange.first().decode() or "by certificate"

    chains = Chains(tmp_path)
    mine = chains.sign("joe.example", by=chains.root, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    with Sink(
        tls="starttls",
        users={"joe": SECRET},
        mechanisms={"PLAIN": lambda exchange: None, "EXTERNAL": external},
        client_ca=chains.ca_file,
        require_client=True,
    ) as sink:
        options = connection(sink) | {"ssl_cert_store": mine.key_pem() + mine.pem}
        front.connect(front.make(**options))
        assert sink.connections[0].mechanism == "EXTERNAL"
        assert sink.connections[0].user == "joe"
        named = {**options, "user": "", "auth_mechanism": AuthMechanism.EXTERNAL}
        front.connect(front.make(**named))
        assert sink.connections[1].user == "by certificate"


@pytest.mark.usefixtures("ntlm_users")
def test_ntlm_is_bound_to_the_certificate(front: Front, old_tls: Any) -> None:
    seen: list[Any] = []

    def bound(exchange: AuthExchange) -> str | None:
        hashed = exchange.bindings()["tls-server-end-point"]
        expected = GssChannelBindings(application_data=b"tls-server-end-point:" + hashed)
        server = spnego.server(
            hostname="localhost", service="smtp", protocol="ntlm", channel_bindings=expected
        )
        server.step(exchange.ask(server.step(exchange.first()) or b""))
        seen.append(server.complete)
        return server.client_principal

    for certificate in (None, old_tls):
        with Sink(tls="starttls", mechanisms={"NTLM": bound}, certificate=certificate) as sink:
            options = connection(sink) | {"user": "DOMAIN\\joe", "password": SECRET}
            front.connect(front.make(**options, auth_mechanism=AuthMechanism.NTLM))
    assert seen == [True, True]


@pytest.mark.usefixtures("ntlm_users")
def test_ntlm_logs_in_where_it_is_named(front: Front) -> None:
    with Sink(tls="starttls", mechanisms={"NTLM": ntlm}, users={"joe": SECRET}) as sink:
        options = connection(sink) | {"user": "DOMAIN\\joe", "auth_mechanism": AuthMechanism.NTLM}
        front.connect(front.make(**options, password=SECRET))
        assert sink.connections[0].user == "DOMAIN\\joe"
        with pytest.raises(AuthenticationRefused):
            front.connect(front.make(**options, password="wrong"))


def test_ntlm_is_not_chosen_by_itself(front: Front) -> None:
    with Sink(tls="starttls", mechanisms={"NTLM": lambda _: None}, users={}) as sink:
        with pytest.raises(NotOffered):
            front.connect(front.make(**options_for(sink, "")))


# --- hostile servers ------------------------------------------------------------------------------


def hostile(act: Callable[[AuthExchange], str | None], name: str = "SCRAM-SHA-256") -> Sink:
    return Sink(tls="starttls", users={"joe": SECRET}, mechanisms={name: act, "PLAIN": act})


def no_proof(exchange: AuthExchange) -> str:
    """Go through SCRAM but for the proof, which only a server that knows the password has."""
    nonce = exchange.first().decode().partition(",r=")[2]
    exchange.ask(f"r={nonce}x,s=c2FsdA==,i=4096".encode())
    return "joe"


def wrong_proof(exchange: AuthExchange) -> str:
    no_proof(exchange)
    exchange.ask(b"v=" + base64.b64encode(b"x" * 32))
    return "joe"


def other_nonce(exchange: AuthExchange) -> str:
    exchange.ask(b"r=other,s=c2FsdA==,i=4096")
    return "joe"


def iterations(count: int) -> Callable[[AuthExchange], str]:
    def act(exchange: AuthExchange) -> str:
        nonce = exchange.first().decode().partition(",r=")[2]
        exchange.ask(f"r={nonce}x,s=c2FsdA==,i={count}".encode())
        return "joe"

    return act


def extension(exchange: AuthExchange) -> str:
    nonce = exchange.first().decode().partition(",r=")[2]
    exchange.ask(f"m=evil,r={nonce}x,s=c2FsdA==,i=4096".encode())
    return "joe"


def at_once(exchange: AuthExchange) -> str:
    return "joe"


def endless(exchange: AuthExchange) -> str:
    while True:
        exchange.ask(b"more")


def huge(exchange: AuthExchange) -> str:
    exchange.ask(b"x" * 1_000_000)
    return "joe"


@pytest.mark.parametrize(
    "act",
    [
        no_proof,
        wrong_proof,
        other_nonce,
        iterations(1),
        iterations(2147483647),
        extension,
        at_once,
        endless,
        huge,
    ],
)
def test_a_server_that_does_not_prove_itself_is_left_at_once(front: Front, act: Any) -> None:
    with hostile(act) as sink:
        smtp = front.make(**options_for(sink, ""))
        began = time.process_time()
        with pytest.raises(ProtocolError):
            front.connect(smtp)
        assert time.process_time() - began < 1
        assert not smtp.connected
        # The password stays here: PLAIN was offered too.
        assert all("PLAIN" not in line for line in sink.connections[0].commands)


def test_after_a_refused_login_the_component_can_be_used_again(front: Front) -> None:
    with sink_with("SCRAM-SHA-256") as sink:
        smtp = front.make(**options_for(sink, "", "wrong"))
        with pytest.raises(AuthenticationRefused):
            front.connect(smtp)
        smtp.password = SECRET
        front.connect(smtp)
        assert sink.connections[1].user == "joe"


# --- what is shown --------------------------------------------------------------------------------

SHOWN_BY = {
    **dict.fromkeys([*PASSWORD_MECHANISMS, *OAUTH]),
    "DIGEST-MD5": AuthMechanism.SASL_DIGEST_MD5,
    "NTLM": AuthMechanism.NTLM,
    "SCRAM-SHA-256-PLUS": AuthMechanism.SCRAM_SHA_256_PLUS,
}


@pytest.mark.usefixtures("ntlm_users")
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("mechanism", SHOWN_BY)
def test_no_secret_is_shown_anywhere(front: Front, mechanism: str, right: bool) -> None:
    known = {**MECHANISMS, "DIGEST-MD5": digest_md5, "NTLM": ntlm}
    users = {"joe": SECRET if right else "another"}
    with Sink(tls="starttls", mechanisms={mechanism: known[mechanism]}, users=users) as sink:
        options = options_for(sink, mechanism)
        if SHOWN_BY[mechanism] is not None:
            options["auth_mechanism"] = SHOWN_BY[mechanism]
        smtp = front.make(**options)
        shown: list[str] = []
        smtp.on_pi_trail = lambda event: shown.append(repr(event))
        try:
            front.connect(smtp)
        except SMTPSError as error:
            shown += [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))]
            # As a reporter of errors prints it, with the variables of each frame of the package.
            for frame in traceback.TracebackException.from_exception(
                error, capture_locals=True
            ).stack:
                if "/smtps/" in frame.filename:
                    shown.append(repr(frame.locals))
        shown += [repr(smtp), str(smtp.last_reply)]
        text = "\n".join(shown)
        assert "********" in text
        assert forms_shown(text) == []


def test_a_component_is_not_pickled(front: Front) -> None:
    smtp = front.make(user="joe", password=SECRET)
    with pytest.raises(TypeError, match="make one where it is used"):
        pickle.dumps(smtp)
