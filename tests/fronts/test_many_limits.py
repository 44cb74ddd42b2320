"""`send_many` to servers that take few recipients or few domains at a time."""

from __future__ import annotations

from typing import Any

from smtps import Envelope, Outcome
from smtps.testing import Fault, Sink
from tests.support.bulk import full_after, items
from tests.support.fronts import Front


def test_a_limit_of_recipients_is_obeyed(front: Front, offers: list[str]) -> None:
    wanted = [*items(2, recipients=2), *items(1, recipients=7), *items(2, recipients=3)]
    with Sink(extensions=[*offers, "LIMITS RCPTMAX=3"]) as sink:
        receipts = {r.index: r for r in front.send_many(front.at(sink.url), wanted)}
    assert all(receipt.ok for receipt in receipts.values())
    assert [len(receipts[index].results) for index in range(5)] == [2, 2, 7, 3, 3]
    assert max(len(message.recipients) for message in sink.messages) == 3
    assert sink.count == 7


def test_for_whom_a_server_has_no_room_it_goes_again_in_another_transaction(
    front: Front, offers: list[str]
) -> None:
    wanted = [*items(3, recipients=2), *items(1, recipients=8), *items(3, recipients=3)]
    with Sink(extensions=offers, faults=full_after(3)) as sink:
        receipts = {r.index: r for r in front.send_many(front.at(sink.url), wanted)}
    assert all(receipt.ok for receipt in receipts.values())
    assert [receipts[index].accepted for index in range(7)] == [one[0].addresses for one in wanted]
    assert sorted(
        (message.sender, address) for message in sink.messages for address in message.recipients
    ) == sorted((one[0].sender, address) for one in wanted for address in one[0].addresses)
    assert max(len(message.recipients) for message in sink.messages) == 3
    assert len(sink.connections) == 1
    assert sink.violations == []


def test_who_is_refused_for_good_is_not_asked_again_with_the_rest(
    front: Front, offers: list[str]
) -> None:
    faults = [Fault(on="RCPT", when="<r0.1@", reply="550 5.1.1 no"), *full_after(2)]
    with Sink(extensions=offers, faults=faults) as sink:
        (receipt,) = front.send_many(front.at(sink.url), items(1, recipients=5))
    assert receipt.refused == ("r0.1@y.example",)
    assert receipt.accepted == tuple(f"r0.{n}@y.example" for n in (0, 2, 3, 4))
    assert receipt.error is None
    taken = [address for message in sink.messages for address in message.recipients]
    assert sorted(taken) == sorted(receipt.accepted)


def test_what_is_left_for_the_rest_when_no_connection_is_made_is_what_was_said(
    front: Front, offers: list[str]
) -> None:
    gone = [Fault(on="MAIL", nth=2, drop=True), Fault(on="greeting", nth=range(2, 99), drop=True)]
    faults = [*gone, *full_after(2)]
    with Sink(extensions=offers, faults=faults) as sink:
        (receipt,) = front.send_many(front.at(sink.url), items(1, recipients=3))
    assert receipt.accepted == ("r0.0@y.example", "r0.1@y.example")
    assert not receipt.unknown
    assert receipt.results[2].outcome in (Outcome.DEFERRED, Outcome.NOT_SENT)
    assert sink.count == 1


def test_a_limit_of_domains_is_obeyed_over_several_connections(
    front: Front, offers: list[str]
) -> None:
    def to(*people: str) -> Any:
        return Envelope("s@b.example", people), b"Subject: x\r\n\r\nx\r\n"

    wanted = [
        to("a@one.example", "b@ONE.example"),
        to("c@one.example"),
        to("d@two.example"),
        to("e@one.example", "f@two.example", "g@one.example"),
    ]
    with Sink(extensions=[*offers, "LIMITS RCPTDOMAINMAX=1"]) as sink:
        receipts = {r.index: r for r in front.send_many(front.at(sink.url), wanted)}
    assert all(receipt.ok for receipt in receipts.values())
    taken = ["".join(one[0] for one in message.recipients) for message in sink.messages]
    assert taken == ["ab", "c", "d", "eg", "f"]
    assert len(sink.connections) == 4


def test_messages_to_the_few_domains_of_a_connection_share_a_window(
    front: Front, offers: list[str]
) -> None:
    def to(*people: str) -> Any:
        return Envelope("s@b.example", people), b"Subject: x\r\n\r\nx\r\n"

    wanted = [to(f"{number}@{domain}.example") for number in range(20) for domain in ("one", "Two")]
    wanted += [to("0@three.example"), to("1@three.example"), to("2@two.example")]
    with Sink(extensions=[*offers, "LIMITS RCPTDOMAINMAX=2"]) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert all(receipt.ok for receipt in receipts)
    assert [message.recipients for message in sink.messages] == [one[0].addresses for one in wanted]
    first, _ = sink.connections
    # Only a message behind an unanswered one has a RSET before it.
    assert (first.commands.count("RSET") > 20) == ("PIPELINING" in offers)


def test_messages_to_few_domains_that_come_back_go_on_over_the_next_connection(
    front: Front, offers: list[str]
) -> None:
    wanted = [
        (Envelope("s@b.example", [f"{number}@{domain}.example"]), b"Subject: x\r\n\r\nx\r\n")
        for domain in ("one", "two")
        for number in range(4)
    ]
    faults = [Fault(on="MAIL", nth=3, reply="421 4.3.2 Closing", drop=True)]
    with Sink(extensions=[*offers, "LIMITS RCPTDOMAINMAX=1"], faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert all(receipt.ok for receipt in receipts)
    taken = [message.recipients[0] for message in sink.messages]
    assert sorted(taken) == sorted(one[0].addresses[0] for one in wanted)
    for connection in sink.connections:
        to = [line for line in connection.commands if line.startswith("RCPT")]
        assert len({line.partition("@")[2] for line in to}) <= 1
