"""`send_many` over connections that break, and to servers that break the protocol."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from smtps import Envelope, Message, Outcome
from smtps.errors import (
    ConnectionLost,
    DeliveryUnknown,
    ProtocolError,
)
from smtps.testing import Fault, Sink
from tests.support.bulk import OFFERS, arrived, by_index, given, items
from tests.support.fronts import Front


class Pipe(io.BytesIO):
    """A file that is read once."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


# --- a connection that breaks ---------------------------------------------------------------------


def test_a_421_costs_nothing_but_another_connection(front: Front, offers: list[str]) -> None:
    wanted = items(40)
    faults = [Fault(on="MAIL", nth=(11, 28), reply="421 4.7.0 too many", drop=True)]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert by_index(receipts) == dict.fromkeys(range(40), "ACCEPTED")
    assert sorted(map(arrived, sink.messages)) == sorted(map(given, wanted))
    assert len(sink.connections) == 3


@pytest.mark.parametrize("kind", ["file", "chunks", "pipe"])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
def test_content_that_can_be_read_once_goes_again_if_it_was_not_begun(
    front: Front, offers: list[str], verb: str, kind: str
) -> None:
    def item(number: int) -> Any:
        if kind == "pipe":
            message = Message(from_="a@b.example", to="x@y.example", text="t")
            message.attach(Pipe(b"x" * 200_000), name="a.bin")
            return message
        data = b"Subject: %d\r\n\r\n" % number + b"x" * 200_000
        content = io.BytesIO(data) if kind == "file" else iter([data])
        return Envelope("a@b.example", ["x@y.example"]), content

    with Sink(extensions=offers, faults=[Fault(on=verb, nth=(1, 3), drop=True)]) as sink:
        receipts = front.send_many(front.at(sink.url), [item(number) for number in range(3)])
        assert by_index(receipts) == dict.fromkeys(range(3), "ACCEPTED")
        assert [len(message.content) > 200_000 for message in sink.messages] == [True] * 3


def test_content_that_can_be_read_once_is_not_sent_again_once_it_was_begun(
    front: Front, offers: list[str]
) -> None:
    def item(number: int) -> Any:
        content = iter([b"Subject: %d\r\n\r\n" % number, *[b"x" * 70 + b"\r\n"] * 20_000])
        return Envelope("a@b.example", ["x@y.example"]), content

    broken = Fault(received=300_000, connection=1, drop=True)
    with Sink(extensions=offers, faults=[broken]) as sink:
        receipts = front.send_many(front.at(sink.url), [item(number) for number in range(2)])
        assert by_index(receipts) == {0: "NOT_SENT", 1: "ACCEPTED"}
        assert sink.count == 1


def test_no_message_is_lost_where_connections_may_carry_few(
    front: Front, offers: list[str]
) -> None:
    wanted = items(40)
    with Sink(extensions=[*offers, "LIMITS MAILMAX=10"]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.send(smtp, wanted[0])
        receipts = front.send_many(smtp, iter(wanted[1:]))
    assert by_index(receipts) == dict.fromkeys(range(39), "ACCEPTED")
    assert sorted(map(arrived, sink.messages)) == sorted(map(given, wanted))
    taken = [
        sum(line.startswith("MAIL") for line in connection.commands)
        for connection in sink.connections
    ]
    assert taken == [10, 10, 10, 10]


def test_a_number_of_messages_that_the_server_does_not_want_is_kept_to(
    front: Front, offers: list[str]
) -> None:
    wanted = items(60)
    tired = [
        Fault(on="MAIL", nth=11, connection=number, reply="421 4.7.0 too many", drop=True)
        for number in range(1, 9)
    ]
    with Sink(extensions=offers, faults=tired) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert by_index(receipts) == dict.fromkeys(range(60), "ACCEPTED")
    taken = [
        sum(line.startswith("MAIL") for line in connection.commands)
        for connection in sink.connections
    ]
    # Ended twice, then left in time; and once more tried with one more.
    assert [min(count, 11) for count in taken[:4]] == [11, 11, 10, 11]
    assert "QUIT" in sink.connections[2].commands


def test_a_connection_lost_after_the_content_makes_it_unknown_and_nothing_twice(
    front: Front, offers: list[str]
) -> None:
    wanted = items(30)
    faults = [Fault(on=".", nth=10, silent=True, drop=True)]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    found = by_index(receipts)
    assert len(found) == 30
    assert found[9] == "UNKNOWN"
    assert set(found.values()) == {"ACCEPTED", "UNKNOWN"}
    assert {found[index] for index in range(9)} == {"ACCEPTED"}
    senders = [message.sender for message in sink.messages]
    assert len(senders) == len(set(senders))
    accepted = {f"s{index}@b.example" for index, name in found.items() if name == "ACCEPTED"}
    assert accepted <= set(senders)
    error = next(r.error for r in receipts if r.index == 9)
    assert isinstance(error, DeliveryUnknown)


@pytest.mark.parametrize("end", ["drop", "reset", "half_close"])
@pytest.mark.parametrize("at", [300, 1000, 2500])
def test_wherever_it_breaks_no_message_is_lost_or_doubled(
    front: Front, offers: list[str], end: str, at: int
) -> None:
    wanted = items(40)
    ending: dict[str, Any] = {end: True}
    faults = [Fault(received=at, connection=1, **ending)]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    found = by_index(receipts)
    assert len(found) == 40
    assert set(found.values()) <= {"ACCEPTED", "UNKNOWN"}
    senders = [message.sender for message in sink.messages]
    assert len(senders) == len(set(senders))
    assert {f"s{n}@b.example" for n, name in found.items() if name == "ACCEPTED"} <= set(senders)


def test_connections_that_deliver_nothing_end_it_with_receipts(
    front: Front, offers: list[str]
) -> None:
    with Sink(extensions=offers, faults=[Fault(on="MAIL", drop=True)]) as sink:
        receipts = front.send_many(front.at(sink.url), items(100))
    found = by_index(receipts)
    assert len(found) == 100
    assert set(found.values()) <= {"NOT_SENT", "UNKNOWN"}
    assert list(found.values()).count("NOT_SENT") > 50
    assert len(sink.connections) == 3
    assert isinstance(receipts[-1].error, ConnectionLost)


def test_a_server_that_says_421_to_everything_ends_it_with_receipts(
    front: Front, offers: list[str]
) -> None:
    faults = [Fault(on="MAIL", reply="421 4.7.0 not now")]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), items(20))
    assert by_index(receipts) == dict.fromkeys(range(20), "NOT_SENT")
    assert len(sink.connections) == 3


def test_a_server_that_is_gone_ends_it_with_receipts(front: Front) -> None:
    def source() -> Iterator[Any]:
        for n, item in enumerate(items(60)):
            if n == 30:
                sink.close()
            yield item

    with Sink() as sink:
        receipts = front.send_many(front.at(sink.url), source(), window=4)
    found = by_index(receipts)
    assert len(found) == 60
    assert list(found.values()).count("NOT_SENT") >= 26


# --- a server that breaks the protocol ------------------------------------------------------------


def test_a_server_that_breaks_pipelining_is_asked_one_by_one_from_then_on(front: Front) -> None:
    wanted = items(20)
    faults = [Fault(on="MAIL", nth=5, connection=1, reply="503 5.5.1 sender already given")]
    with Sink(faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
        found = by_index(receipts)
        assert len(found) == 20
        assert {found[n] for n in range(4)} == {"ACCEPTED"}
        front.send_many(front.at(sink.url), items(3))
    senders = [message.sender for message in sink.messages[:-3]]
    assert len(senders) == len(set(senders))
    lines = sink.connections[-1].commands
    assert "RSET" not in lines
    assert sum(line.startswith("MAIL") for line in lines) == 3


@pytest.mark.parametrize("form", ["BDAT", "DATA"])
def test_an_early_250_that_554_follows_is_never_success(front: Front, form: str) -> None:
    faults = [Fault(on=".", nth=2, reply=b"250 2.0.0 early\r\n554 5.7.1 spam\r\n")]
    with Sink(extensions=OFFERS[form], faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), items(4))
    found = by_index(receipts)
    assert found[0] == "ACCEPTED"
    assert found[1] == "UNKNOWN"
    assert len(found) == 4
    error = next(receipt.error for receipt in receipts if receipt.index == 1)
    assert error is not None
    assert isinstance(error.__cause__, ProtocolError)


def test_a_positive_line_that_nobody_asked_for_takes_nothing_back(front: Front) -> None:
    faults = [Fault(on=".", nth=5, inject=b"250 2.0.0 what?\r\n")]
    with Sink(faults=faults) as sink:
        assert all(receipt.ok for receipt in front.send_many(front.at(sink.url), items(5)))
        assert len(sink.messages) == 5


def test_who_of_several_was_refused_is_told_when_ehlo_is_answered_by_itself(front: Front) -> None:
    faults = [Fault(on="RCPT", when=".1@", reply="550 5.1.1 no such user")]
    with Sink(faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), items(5, recipients=2))
        assert [line.split()[0] for line in sink.commands].count("EHLO") == 2
    assert [receipt.refused for receipt in receipts] == [(f"r{n}.1@y.example",) for n in range(5)]


@pytest.mark.parametrize("nth", range(1, 7))
def test_who_of_several_was_refused_is_unknown_if_there_is_a_reply_too_many(
    front: Front, nth: int
) -> None:
    faults = [
        Fault(on="RCPT", when=".1@", nth=nth, reply="550 5.1.1 no", inject=b"250 2.1.5 what?\r\n"),
        Fault(on="RCPT", when=".1@", reply="550 5.1.1 no such user"),
    ]
    with Sink(faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), items(6, recipients=3))
        taken = {message.sender: message.recipients for message in sink.messages}
    for receipt in receipts:
        assert not receipt.not_sent
        assert set(receipt.accepted) <= set(taken[receipt.sender])
        assert receipt.unknown or set(receipt.accepted) == set(taken[receipt.sender])
    assert any(receipt.unknown for receipt in receipts)


def test_a_line_that_nobody_asked_for_poisons_the_connection(front: Front) -> None:
    faults = [Fault(on=".", nth=5, inject=b"554 5.6.0 what?\r\n")]
    with Sink(faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), items(5))
    found = by_index(receipts)
    assert found == {0: "ACCEPTED", 1: "ACCEPTED", 2: "ACCEPTED", 3: "ACCEPTED", 4: "UNKNOWN"}


def test_hundreds_of_recipients_do_not_deadlock_against_a_server_that_reads_slowly(
    front: Front,
) -> None:
    wanted = items(20, recipients=800)
    with Sink() as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert all(receipt.ok for receipt in receipts)
    assert sum(len(receipt.results) for receipt in receipts) == 16_000
    assert receipts[0].results[0].outcome is Outcome.ACCEPTED
