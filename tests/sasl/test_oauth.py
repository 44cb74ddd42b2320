"""XOAUTH2 and OAUTHBEARER."""

from __future__ import annotations

import base64
import json

import pytest

from smtps.errors import AuthenticationRefused, BadValue, ProtocolError
from smtps.reply import Reply
from smtps.sasl.credentials import Credentials
from smtps.sasl.oauth import bearer, oauthbearer, xoauth2

TOKEN = "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="


def test_the_response_of_rfc_7628_is_given_as_there() -> None:
    credentials = Credentials("user@example.com", token=TOKEN, host="server.example.com", port=587)
    response = next(oauthbearer(credentials))
    assert base64.b64encode(response or b"").decode() == (
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVy"
        "IHZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )


def test_the_response_of_xoauth2_is_googles() -> None:
    credentials = Credentials(
        "someuser@example.com", token="ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    )
    assert base64.b64encode(next(xoauth2(credentials)) or b"").decode() == (
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhk"
        "SFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


def test_an_acceptance_ends_the_exchange() -> None:
    responses = xoauth2(Credentials("u", token="t"))
    next(responses)
    with pytest.raises(StopIteration):
        responses.send(None)


def test_the_user_of_oauthbearer_is_escaped_and_may_be_missing() -> None:
    assert (next(oauthbearer(Credentials("a,b=c", token="t"))) or b"")[:14] == b"n,a=a=2Cb=3Dc,"
    assert (next(oauthbearer(Credentials("", token="t"))) or b"")[:4] == b"n,,\1"


@pytest.mark.parametrize("token", ["", "a b", "a\1b", "a\r\nb", "é", "a\x7f"])
def test_a_token_that_could_end_its_field_is_refused_without_repeating_it(token: str) -> None:
    for mechanism in (xoauth2, oauthbearer):
        with pytest.raises(BadValue) as caught:
            next(mechanism(Credentials("u", token=token)))
        assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        (b'{"status":"invalid_token","scope":"x"}', "invalid_token"),
        (b'{"status":401}', "401"),
        (json.dumps({"status": "a\r\n" + "b" * 500}).encode(), "a" + "b" * 77),
        (b"", ""),
        (b"{}", ""),
        (b"[1]", ""),
        (b"not json", ""),
        (b"\xff", ""),
        (b"[" * 8000, ""),
    ],
)
def test_an_error_is_answered_and_its_status_is_added_to_the_refusal(
    challenge: bytes, status: str
) -> None:
    for mechanism, answer in ((xoauth2, b""), (oauthbearer, b"\1")):
        responses = mechanism(Credentials("u", token="t"))
        next(responses)
        assert responses.send(challenge) == answer
        with pytest.raises(AuthenticationRefused) as caught:
            responses.throw(AuthenticationRefused("XOAUTH2", Reply(535, None, ("no",))))
        assert caught.value.detail == status


def test_an_error_of_more_than_8_kib_is_refused() -> None:
    responses = xoauth2(Credentials("u", token="t"))
    next(responses)
    with pytest.raises(ProtocolError):
        responses.send(b" " * 8193)


def test_an_acceptance_behind_an_error_is_refused() -> None:
    responses = xoauth2(Credentials("u", token="t"))
    next(responses)
    responses.send(b'{"status":"401"}')
    with pytest.raises(ProtocolError):
        responses.send(None)


@pytest.mark.parametrize(
    ("text", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("abc", "abc"), ("Bearer", ""), ("", "")],
)
def test_a_token_may_come_with_bearer_in_front(text: str, token: str) -> None:
    assert bearer(text) == token
