"""NTLM against pyspnego's own acceptor, and what a wrong server gets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from smtps.errors import ProtocolError
from smtps.sasl.credentials import Binding, Credentials
from smtps.sasl.negotiate import missing_extra, ntlm

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
