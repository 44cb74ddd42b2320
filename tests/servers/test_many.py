"""Many messages in flight into real servers: every envelope is the one that was given."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from smtps import Envelope, Outcome
from smtps.dialogue import manners
from tests.support.fronts import Front
from tests.support.servers import DEFERRED, REFUSED, Arrived, RealServer, fresh_address

COUNT = 100
_number = count(1)


@pytest.fixture(autouse=True)
def _unknown_servers() -> Iterator[None]:
    manners.forget()
    yield
    manners.forget()


def envelopes(server: RealServer, domain: str, people: int) -> dict[str, tuple[str, ...]]:
    """Give the recipients of each sender once there are so many, and see that nothing is mixed."""
    arrived: list[Arrived] = []
    while sum(len(message.recipients) for message in arrived) < people:
        arrived = server.received_from(domain, len(arrived) + 1)
    found: dict[str, tuple[str, ...]] = {}
    for message in arrived:
        before = found.get(message.sender, ())
        # OpenSMTPD hands a message on to its recipients one by one.
        assert not set(before) & set(message.recipients), "a message came twice"
        found[message.sender] = tuple(sorted((*before, *message.recipients)))
        number = message.sender[1:].partition("@")[0]
        assert f"\r\n.{number}\r\n".encode() in message.content
    return found


def test_refused_recipients_and_refused_messages_lend_nothing_to_others(
    front: Front, real_server: RealServer
) -> None:
    """One recipient in ten is refused, one message in ten wholly, and each sender is another."""
    domain = f"many{next(_number)}.{front.kind}.example"
    items: list[Any] = []
    for n in range(COUNT):
        people = [fresh_address(), fresh_address()]
        if n % 10 == 3:
            people = [REFUSED] if n % 20 == 3 else [REFUSED, DEFERRED]
        elif n % 5 == 1:
            people[n % 2] = REFUSED
        content = f"Subject: {n}\r\nFrom: s{n}@{domain}\r\n\r\n.{n}\r\n".encode()
        items.append((Envelope(f"s{n}@{domain}", people), content))
    receipts = {
        receipt.index: receipt for receipt in front.send_many(front.at(real_server.url), items)
    }
    assert sorted(receipts) == list(range(COUNT))
    expected, possible = {}, {}
    for n, (envelope, _) in enumerate(items):
        kept = tuple(a for a in envelope.addresses if a not in (REFUSED, DEFERRED))
        receipt = receipts[n]
        if kept and not receipt.unknown:
            assert receipt.accepted == kept, (n, receipt)
            expected[envelope.sender] = tuple(sorted(kept))
        elif kept:
            possible[envelope.sender] = tuple(sorted(kept))
        else:
            outcomes = {result.outcome for result in receipt.results}
            assert outcomes <= {Outcome.REFUSED, Outcome.DEFERRED}, (n, receipt)
    found = envelopes(real_server, domain, sum(map(len, expected.values())))
    assert expected.items() <= found.items()
    assert found.items() <= {**expected, **possible}.items()
    # A server that breaks off takes a few along, whose fate nobody knows.
    assert len(possible) <= COUNT // 5
