"""The sink's side of SASL: responses that make no sense, and mechanisms of the test's own."""

from __future__ import annotations

import base64

import pytest

from smtps.testing import AuthExchange, Sink
from tests.support.raw import greet


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "mechanism", ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"]
)
@pytest.mark.parametrize("response", ["", "x", "n,,", "n,,n=user,r=abc", "user secret"])
def test_nonsense_logs_nobody_in(mechanism: str, response: str) -> None:
    with Sink(auth_in_clear=True, mechanisms=[mechanism]) as sink, greet(sink) as client:
        reply = client.ask(f"AUTH {mechanism}")
        for _ in range(3):
            if reply[:3] == "334":
                reply = client.ask(encoded(response))
        assert reply[:3] in ("501", "535")
        assert sink.connections[0].user is None


def test_a_token_that_is_refused_is_explained_before() -> None:
    with Sink(auth_in_clear=True, mechanisms=["XOAUTH2"]) as sink, greet(sink) as client:
        reply = client.ask("AUTH XOAUTH2 " + encoded("user=user\1auth=Bearer no\1\1"))
        assert b"invalid_token" in base64.b64decode(reply[4:])
        assert client.ask("")[:3] == "535"


def test_the_example_of_xoauth2_logs_in() -> None:
    with Sink(auth_in_clear=True, mechanisms=["XOAUTH2"]) as sink, greet(sink) as client:
        line = "AUTH XOAUTH2 " + encoded("user=user\1auth=Bearer secret\1\1")
        assert client.ask(line)[:3] == "235"
        assert sink.connections[0].user == "user"


def test_mechanisms_are_announced_and_others_are_not() -> None:
    with Sink(auth_in_clear=True, mechanisms=["xoauth2"]) as sink, greet(sink) as client:
        assert "AUTH XOAUTH2" in client.ask("EHLO x")
        assert client.ask("AUTH PLAIN")[:3] == "504"


def test_a_mechanism_can_be_the_tests_own() -> None:
    def magic(exchange: AuthExchange) -> str | None:
        return "joe" if exchange.ask(b"who?") == b"me" else None

    with Sink(auth_in_clear=True, mechanisms={"MAGIC": magic}) as sink, greet(sink) as client:
        assert client.ask("AUTH MAGIC") == "334 " + encoded("who?")
        assert client.ask(encoded("me"))[:3] == "235"
        assert sink.connections[0].user == "joe"
