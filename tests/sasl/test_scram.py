"""SCRAM."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from smtps.errors import AuthenticationRefused, BadValue, ProtocolError
from smtps.reply import Reply
from smtps.sasl.credentials import Binding, Credentials, Responses
from smtps.sasl.scram import MOST_ITERATIONS, scram

USER = Credentials("user", "pencil")
NONCE = "fyko+d2lbbFgONRv9qkxdawL"
WHOLE = NONCE + "3rfcNHYJY1ZVvWVs7j"
SALT = "QSXCR+Q6sek8bf92"
VERDICT = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="


def begin(credentials: Credentials = USER, **options: Any) -> tuple[Responses, str]:
    responses = scram(credentials, "sha1", nonce=NONCE, **options)
    return responses, (next(responses) or b"").decode()


def waiting_for_the_verdict() -> Responses:
    responses, _ = begin()
    responses.send(f"r={WHOLE},s={SALT},i=4096".encode())
    return responses


def test_the_exchange_of_rfc_5802_goes_as_there() -> None:
    responses, first = begin()
    assert first == f"n,,n=user,r={NONCE}"
    final = responses.send(f"r={WHOLE},s={SALT},i=4096".encode())
    assert final == f"c=biws,r={WHOLE},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=".encode()
    assert responses.send(VERDICT) == b""
    with pytest.raises(StopIteration):
        responses.send(None)


def test_the_exchange_of_rfc_7677_goes_as_there() -> None:
    nonce = "rOprNGfwEbeRWgbNEkqO"
    whole = nonce + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    responses = scram(USER, "sha256", nonce=nonce)
    assert next(responses) == f"n,,n=user,r={nonce}".encode()
    final = responses.send(f"r={whole},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode())
    proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    assert final == f"c=biws,r={whole},p={proof}".encode()
    assert responses.send(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "m=x,r={whole},s={salt},i=4096",
        "r={nonce},s={salt},i=4096",
        "r=other,s={salt},i=4096",
        "r=another nonce that is longer than ours,s={salt},i=4096",
        "r=,s={salt},i=4096",
        "s={salt},r={whole},i=4096",
        "r={whole},s=,i=4096",
        "r={whole},s=???,i=4096",
        "r={whole},s={salt}",
        "r={whole},s={salt},i=",
        "r={whole},s={salt},i=1",
        "r={whole},s={salt},i=4095",
        "r={whole},s={salt},i=-4096",
        "r={whole},s={salt},i=4_096",
        "r={whole},s={salt},i=\u0664\u0660\u0669\u0666",
        "r={whole},s={salt},i=600001",
        "r={whole},s={salt},i=2147483647",
        "r={whole},s={salt},i=" + "9" * 5000,
    ],
)
def test_a_challenge_that_is_wrong_is_a_protocol_error_at_once(challenge: str) -> None:
    responses, _ = begin()
    began = time.process_time()
    with pytest.raises(ProtocolError):
        responses.send(challenge.format(whole=WHOLE, nonce=NONCE, salt=SALT).encode())
    assert time.process_time() - began < 0.1


def test_an_extension_that_is_demanded_is_named_as_such() -> None:
    responses, _ = begin()
    with pytest.raises(ProtocolError, match="extension"):
        responses.send(f"m=x,r={WHOLE},s={SALT},i=4096".encode())


def test_bytes_that_are_not_text_are_a_protocol_error() -> None:
    responses, _ = begin()
    with pytest.raises(ProtocolError):
        responses.send(b"r=\xff")


def test_the_most_iterations_take_less_than_a_second() -> None:
    responses, _ = begin()
    began = time.process_time()
    assert responses.send(f"r={WHOLE},s={SALT},i={MOST_ITERATIONS},x=y".encode())
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("verdict", [b"v=AAAA", b"v=", b"v=?", b"", b"x", None])
def test_a_server_without_the_right_proof_is_refused(verdict: bytes | None) -> None:
    responses = waiting_for_the_verdict()
    with pytest.raises(ProtocolError, match=r"proof|knows the password"):
        responses.send(verdict)


def test_acceptance_in_place_of_the_challenge_is_refused() -> None:
    responses, _ = begin()
    with pytest.raises(ProtocolError):
        responses.send(None)


def test_the_servers_reason_is_added_to_its_refusal() -> None:
    responses = waiting_for_the_verdict()
    assert responses.send(b"e=invalid-proof") == b""
    refusal = AuthenticationRefused("SCRAM-SHA-1", Reply(535, None, ("no",)))
    with pytest.raises(AuthenticationRefused) as caught:
        responses.throw(refusal)
    assert caught.value.detail == "invalid-proof"
    assert "invalid-proof" in str(caught.value)


def test_a_refusal_that_ends_in_acceptance_is_refused() -> None:
    responses = waiting_for_the_verdict()
    responses.send(b"e=other-error")
    with pytest.raises(ProtocolError):
        responses.send(None)


def test_names_are_prepared_and_escaped() -> None:
    _, first = begin(Credentials("a,b=c\u2168", "p", authorization="d,e"))
    assert first == f"n,a=d=2Ce,n=a=2Cb=3DcIX,r={NONCE}"


def test_a_password_is_prepared() -> None:
    said = []
    for password in ("I\u00adX", "IX"):
        responses, _ = begin(Credentials("u", password))
        said.append(responses.send(f"r={WHOLE},s={SALT},i=4096".encode()))
    assert said[0] == said[1]


def test_plus_binds_to_what_the_connection_is_named_by() -> None:
    bound = Credentials("u", "p", binding=Binding("tls-unique", b"\1\2"))
    responses, first = begin(bound, plus=True)
    assert first.startswith("p=tls-unique,,n=u,")
    final = (responses.send(f"r={WHOLE},s={SALT},i=4096".encode()) or b"").decode()
    assert final.startswith("c=" + base64.b64encode(b"p=tls-unique,,\1\2").decode() + ",r=")


def test_plus_without_tls_is_refused() -> None:
    with pytest.raises(BadValue):
        begin(plus=True)


def test_a_client_that_could_bind_says_so_where_the_server_does_not_offer_it() -> None:
    _, first = begin(Credentials("u", "p", knows_binding=True))
    assert first.startswith("y,,n=u,")


def test_every_exchange_has_a_nonce_of_its_own() -> None:
    nonces = {next(scram(USER, "sha256")) for _ in range(50)}
    assert len(nonces) == 50
    assert all(b"," not in (first or b"").partition(b",r=")[2] for first in nonces)
