"""NTLM against pyspnego's own acceptor, and what a wrong server gets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from smtps.errors import BadValue, ProtocolError
from smtps.sasl import negotiate
from smtps.sasl.credentials import Binding, Credentials, Responses
from smtps.sasl.negotiate import gssapi, missing_extra, ntlm

USER = Credentials("DOMAIN\\joe", "S3cr3t!pass", host="mail.example")


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the acceptor know the user."""
    file = tmp_path / "users"
    file.write_text("DOMAIN:joe:S3cr3t!pass\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(file))


def log_in(credentials: Credentials, *, bound: bytes = b"") -> Any:
    """Go through an exchange, and give the acceptor's context."""
    bindings = GssChannelBindings(application_data=bound) if bound else None
    server = spnego.server(
        hostname="mail.example", service="smtp", protocol="ntlm", channel_bindings=bindings
    )
    responses = ntlm(credentials)
    challenge = server.step(next(responses))
    assert challenge is not None
    server.step(responses.send(challenge))
    with pytest.raises(StopIteration):
        responses.send(None)
    return server


@pytest.mark.usefixtures("users")
def test_the_user_is_known_by_the_second_version_of_ntlm() -> None:
    server = log_in(USER)
    assert server.complete
    assert server.client_principal == "DOMAIN\\joe"


@pytest.mark.usefixtures("users")
def test_a_wrong_password_is_not_taken() -> None:
    with pytest.raises(spnego.exceptions.SpnegoError):
        log_in(Credentials("DOMAIN\\joe", "wrong"))


@pytest.mark.usefixtures("users")
def test_the_exchange_is_bound_to_the_servers_certificate() -> None:
    bound = Credentials(
        USER.user, USER.password, binding=Binding("tls-server-end-point", b"certificate")
    )
    assert log_in(bound, bound=b"tls-server-end-point:certificate").complete
    with pytest.raises(spnego.exceptions.SpnegoError):
        log_in(bound, bound=b"tls-server-end-point:another")


@pytest.mark.parametrize(
    "challenge", [b"", b"nonsense", b"NTLMSSP\0\2\0\0\0", b"NTLMSSP\0" * 9, None]
)
def test_a_challenge_that_makes_no_sense_is_a_protocol_error(challenge: bytes | None) -> None:
    responses = ntlm(USER)
    next(responses)
    with pytest.raises(ProtocolError):
        responses.send(challenge)


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert missing_extra("NTLM") == "ntlm"
    assert missing_extra("GSSAPI") == "kerberos"
    assert missing_extra("PLAIN") == ""


def test_nothing_is_missing_where_the_extra_is_installed() -> None:
    assert missing_extra("NTLM") == ""


# --- GSSAPI: `make kerberos` runs it against a real centre ----------------------------------------


class Context:
    """A context that is complete with the server's first token, and seals by a letter in front."""

    complete = False

    def step(self, token: bytes = b"") -> bytes | None:
        if not token:
            return b"ticket"
        if token != b"server":
            raise LookupError(token)
        self.complete = True
        return None

    def wrap(self, data: bytes, *, encrypt: bool) -> Any:
        return SimpleNamespace(data=b"W" + data)

    def unwrap(self, data: bytes) -> Any:
        if data[:1] != b"W":
            raise LookupError(data)
        return SimpleNamespace(data=data[1:])


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Responses:
    """An exchange whose ticket was shown."""
    monkeypatch.setattr(negotiate, "_context", lambda *_, **__: Context())
    responses = gssapi(Credentials("joe", authorization="boss"))
    assert next(responses) == b"ticket"
    return responses


def test_no_layer_is_chosen_where_the_server_offers_it_with_others(begun: Responses) -> None:
    assert begun.send(b"server") == b""
    assert begun.send(b"W\7\0\x10\0") == b"W\1\0\0\0boss"
    with pytest.raises(StopIteration):
        begun.send(None)


@pytest.mark.parametrize("token", [b"", b"impostor", None])
def test_a_server_that_does_not_prove_itself_is_left(begun: Responses, token: Any) -> None:
    with pytest.raises(ProtocolError):
        begun.send(token)


@pytest.mark.parametrize("offer", [b"W\6\0\0\0", b"W\1", b"W\1\0\0\0\0", b"\1\0\0\0", b"", None])
def test_an_offer_that_is_wrong_or_not_sealed_is_refused(begun: Responses, offer: Any) -> None:
    begun.send(b"server")
    with pytest.raises(ProtocolError):
        begun.send(offer)


def test_credentials_that_lead_to_no_ticket_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise LookupError("no such realm")

    monkeypatch.setattr(negotiate, "_context", fail)
    with pytest.raises(BadValue, match="no such realm"):
        next(gssapi(Credentials("joe", "p")))
