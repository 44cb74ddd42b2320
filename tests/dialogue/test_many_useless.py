"""Many messages over connections that are of no use."""

from __future__ import annotations

import pytest

from smtps.errors import (
    ConnectionFailed,
    ConnectionLost,
)
from smtps.receipt import Outcome
from tests.support.fates import Relay, closes_at_mail, fates, items, send


@pytest.mark.parametrize("offers", ["", "PIPELINING"])
def test_after_three_connections_of_no_use_the_rest_is_given_up(offers: str) -> None:
    relay = Relay(closes_at_mail, offers)
    send(relay, items("abcd"))
    assert relay.connections == 3
    assert relay.slept == pytest.approx([*[0] * (len(relay.slept) - 2), 0.1, 0.2])
    assert fates(relay) == dict.fromkeys(range(4), Outcome.NOT_SENT)
    assert {type(receipt.error) for receipt in relay.receipts} == {ConnectionLost}
    assert relay.closed


def test_all_that_a_long_source_gives_has_its_receipt_when_it_is_given_up() -> None:
    relay = Relay(closes_at_mail)
    send(relay, items("a" * 100))
    assert fates(relay) == dict.fromkeys(range(100), Outcome.NOT_SENT)


def test_a_connection_that_cannot_be_made_is_of_no_use_either() -> None:
    def answer(connection: int, line: str) -> bytes | None:
        return b"" if connection > 1 and line == "connect" else closes_at_mail(0, line)

    relay = Relay(answer)
    send(relay, items("ab"))
    assert relay.connections == 3
    assert fates(relay) == {0: Outcome.NOT_SENT, 1: Outcome.NOT_SENT}
    assert {type(receipt.error) for receipt in relay.receipts} == {ConnectionFailed}


def test_a_connection_that_delivered_something_is_replaced_at_once() -> None:
    def answer(_: int, line: str) -> bytes | None:
        # Each takes one message, and closes at the next.
        return b"" if line == "RSET" or (len(relay.said[-1]) > 5 and "MAIL" in line) else None

    relay = Relay(answer)
    send(relay, items("abcde"))
    assert fates(relay) == dict.fromkeys(range(5), Outcome.ACCEPTED)
    assert relay.slept == []
    assert relay.connections == 5


def test_a_first_connection_that_cannot_be_made_is_raised() -> None:
    relay = Relay(lambda _, line: b"" if line == "connect" else None)
    with pytest.raises(ConnectionFailed):
        send(relay, items("ab"))
    assert relay.receipts == []
