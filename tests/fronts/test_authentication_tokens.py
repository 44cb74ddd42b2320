"""Tokens of a provider, asked for once and for all who need them."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import (
    BadValue,
    Token,
)
from smtps.testing import Sink
from tests.support.concealed import SECRET
from tests.support.fronts import Front
from tests.support.logins import connection, sink_with


def counting(front: Front, *tokens: str | Token) -> tuple[Any, list[None]]:
    """Give a provider, a coroutine function for `AsyncSMTPS`, and its calls."""
    calls: list[None] = []
    left = iter(tokens)

    def provide() -> str | Token:
        calls.append(None)
        return next(left)

    async def provide_later() -> str | Token:
        return provide()

    return (provide_later if front.kind == "async" else provide), calls


def test_a_provider_gives_the_token(front: Front) -> None:
    with sink_with("OAUTHBEARER") as sink:
        provider, _ = counting(front, SECRET)
        front.connect(front.make(**connection(sink), token_provider=provider))
        assert sink.connections[0].user == "joe"


def test_connections_with_one_provider_share_its_token(front: Front) -> None:
    with sink_with("XOAUTH2") as sink:
        provider, calls = counting(front, SECRET)
        kept = [front.make(**connection(sink), token_provider=provider) for _ in range(3)]
        for smtp in kept:
            front.connect(smtp)
        assert len(calls) == 1


def test_a_token_that_has_ended_is_fetched_anew(front: Front) -> None:
    with sink_with("XOAUTH2") as sink:
        provider, calls = counting(front, Token(SECRET, lifetime=0), Token(SECRET))
        kept = [front.make(**connection(sink), token_provider=provider) for _ in range(2)]
        for smtp in kept:
            front.connect(smtp)
        assert len(calls) == 2


def test_a_token_that_the_server_no_longer_takes_is_replaced_once(front: Front) -> None:
    users = {"joe": "first"}
    with Sink(tls="starttls", users=users, mechanisms=["XOAUTH2"]) as sink:
        provider, calls = counting(front, "first", "second")
        smtp = front.make(**connection(sink), token_provider=provider)
        front.connect(smtp)
        front.disconnect(smtp)
        users["joe"] = "second"
        front.connect(smtp)
        assert sink.connections[1].user == "joe"
        assert len(calls) == 2


def test_what_the_provider_raises_reaches_the_caller(front: Front) -> None:
    class NoNetworkError(Exception):
        pass

    def provide() -> str:
        raise NoNetworkError

    with sink_with("XOAUTH2") as sink:
        smtp = front.make(**connection(sink), token_provider=provide)
        for _ in range(2):
            with pytest.raises(NoNetworkError):
                front.connect(smtp)
            assert not smtp.connected
            assert smtp.idle


@pytest.mark.parametrize("answer", [None, "", 5, b"bytes", Token("")])
def test_a_provider_that_gives_no_token_is_named(front: Front, answer: Any) -> None:
    with sink_with("XOAUTH2") as sink:
        smtp = front.make(**connection(sink), token_provider=lambda: answer)
        with pytest.raises(BadValue, match="token_provider"):
            front.connect(smtp)
