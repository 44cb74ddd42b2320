"""`send_many` through a real socket to the sink: the same on both fronts."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from smtps import Envelope, Error, Message, Outcome, PITrail, Receipt
from smtps.dialogue import manners
from smtps.drivers import supply
from smtps.errors import (
    BadValue,
    Busy,
    ConnectionFailed,
    ConnectionLost,
    DeliveryUnknown,
    NotOffered,
    ProtocolError,
    RecipientsRefused,
    SenderRefused,
    SourceFailed,
    TooLarge,
)
from smtps.testing import Fault, Sink, SinkMessage
from tests.support.fronts import Front

#: What the sink offers, by the form that a message then takes.
OFFERS = {
    "BDAT": ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE"],
    "DATA": ["PIPELINING", "8BITMIME", "SIZE"],
    "one by one": ["8BITMIME", "SIZE"],
}


@pytest.fixture(autouse=True)
def _unknown_servers() -> Iterator[None]:
    manners.forget()
    yield
    manners.forget()


@pytest.fixture(params=OFFERS)
def offers(request: pytest.FixtureRequest) -> list[str]:
    """The extensions of a server that takes BDAT, DATA in groups, or one command at a time."""
    return OFFERS[request.param]


def items(count: int, recipients: int = 1) -> list[Any]:
    return [
        (
            Envelope(f"s{n}@b.example", [f"r{n}.{m}@y.example" for m in range(recipients)]),
            b"Subject: %d\n\n.\n" % n,
        )
        for n in range(count)
    ]


def envelope(message: SinkMessage) -> tuple[str, tuple[str, ...], bytes]:
    return message.sender, message.recipients, message.content


def given(item: Any) -> tuple[str, tuple[str, ...], bytes]:
    return item[0].sender, item[0].addresses, item[1].replace(b"\n", b"\r\n")


def by_index(receipts: list[Receipt]) -> dict[int, str]:
    return {
        receipt.index: "+".join(sorted({result.outcome.name for result in receipt.results}))
        for receipt in receipts
    }


# --- what arrives ---------------------------------------------------------------------------------


def test_every_message_arrives_as_it_was_given(front: Front, offers: list[str]) -> None:
    wanted = items(100, recipients=3)
    with Sink(extensions=offers) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert [receipt.index for receipt in receipts] == list(range(100))
    assert all(receipt.ok for receipt in receipts)
    assert list(map(envelope, sink.messages)) == list(map(given, wanted))
    assert sink.violations == []
    assert len(sink.connections) == 1


def test_it_works_over_tls(front: Front) -> None:
    with Sink(tls="starttls") as sink:
        receipts = front.send_many(front.at(sink.url), items(300))
    assert all(receipt.ok for receipt in receipts)
    assert sink.count == 300
    assert all(message.tls for message in sink.messages)


def test_replies_that_come_byte_by_byte_change_nothing(front: Front, offers: list[str]) -> None:
    with Sink(extensions=offers, split=True) as sink:
        receipts = front.send_many(front.at(sink.url), items(20))
    assert all(receipt.ok for receipt in receipts)
    assert sink.count == 20


def test_content_comes_from_any_source(front: Front, offers: list[str], tmp_path: Path) -> None:
    body = b"Subject: x\r\n\r\n" + b".line of text\r\n" * 40_000
    path = tmp_path / "message.eml"
    path.write_bytes(body)
    to = Envelope("a@b.example", ["x@y.example"])
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "a@b.example", "x@y.example", "<i@d>"
    sources: list[Any] = [
        (to, body),
        (to, path),
        (to, str(path)),
        (to, io.BytesIO(body)),
        (to, (body[start : start + 999] for start in range(0, len(body), 999))),
        (to, memoryview(body)),
        (to, b"Subject: large\r\n\r\n" + b"x" * 998 * 2000),
        message,
    ]
    with Sink(extensions=offers) as sink:
        receipts = front.send_many(front.at(sink.url), sources)
    assert by_index(receipts) == dict.fromkeys(range(8), "ACCEPTED")
    assert [len(message.content) for message in sink.messages[:6]] == [len(body)] * 6
    assert sink.messages[5].content == body
    assert receipts[7].message_id == "<i@d>"
    assert sink.violations == []


def test_composed_messages_take_the_encoding_that_the_server_takes(front: Front) -> None:
    messages = [Message(from_="a@b.example", to=[f"x{n}@y.example"], text="ä") for n in range(3)]
    with Sink(extensions=OFFERS["BDAT"]) as sink:
        receipts = front.send_many(front.at(sink.url), messages)
    assert [receipt.message_id for receipt in receipts] == [one.message_id for one in messages]
    assert all("ä".encode() in message.content for message in sink.messages)
    assert sink.violations == []


def test_items_may_come_asynchronously(asynchronous: Front) -> None:
    async def source() -> AsyncIterator[Any]:
        for item in items(50):
            yield item

    with Sink() as sink:
        receipts = asynchronous.send_many(asynchronous.at(sink.url), source())
    assert [receipt.index for receipt in receipts] == list(range(50))
    assert sink.count == 50


def test_a_connection_that_was_there_stays(front: Front, offers: list[str]) -> None:
    with Sink(extensions=offers) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.send_many(smtp, items(3))
        assert smtp.connected
        front.send(smtp, items(1)[0])
        front.send_many(smtp, items(3))
        front.disconnect(smtp)
    assert sink.count == 7
    assert len(sink.connections) == 1


def test_a_connection_that_was_made_for_it_is_closed(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.send_many(smtp, items(3))
        assert not smtp.connected
    assert sink.connections[0].commands[-1] == "QUIT"


def test_no_items_give_no_receipts(front: Front) -> None:
    with Sink() as sink:
        assert front.send_many(front.at(sink.url), []) == []


# --- laziness -------------------------------------------------------------------------------------


def test_no_more_items_are_taken_than_the_window_holds(front: Front) -> None:
    taken = []

    def endless() -> Iterator[Any]:
        for n in range(1_000_000):
            taken.append(n)
            yield items(1)[0]

    with Sink() as sink:
        receipts = front.send_many(front.at(sink.url), endless(), window=8, most=20)
    assert len(receipts) == 20
    assert len(taken) <= 20 + 8 + 16


def test_a_slow_source_holds_back_nothing(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "_PATIENCE", 0.0)
    seen: list[int] = []
    given = 0

    def slow() -> Iterator[Any]:
        nonlocal given
        while not seen and given < 500:
            # What came before was written by now, so it is known once the server has answered.
            sink.wait_for(given)
            given += 1
            yield items(1)[0]

    with Sink() as sink:
        smtp = front.at(sink.url)
        seen.extend(receipt.index for receipt in front.each(smtp.send_many(slow(), window=1000)))
    assert len(seen) == given < 500


def test_what_the_source_raises_comes_after_the_receipts(front: Front) -> None:
    def broken() -> Iterator[Any]:
        yield from items(3)
        raise KeyError("mine")

    with Sink() as sink:
        found: list[Receipt] = []
        with pytest.raises(KeyError, match="mine"):
            found.extend(front.each(front.at(sink.url).send_many(broken())))
    assert sink.count == 3


def test_the_component_is_busy_until_the_last_receipt(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        for _ in front.each(smtp.send_many(items(3))):
            assert not smtp.idle
            with pytest.raises(Busy):
                front.send(smtp, items(1)[0])
        assert smtp.idle


@pytest.mark.parametrize("window", [0, -1, True, 1.5, "8"])
def test_a_window_is_a_number_of_messages(front: Front, window: Any) -> None:
    with pytest.raises(BadValue, match="window"):
        front.make(mail_server="localhost").send_many([], window=window)


def test_no_connection_at_all_is_an_error(front: Front) -> None:
    with Sink() as sink:
        pass
    with pytest.raises(ConnectionFailed):
        front.send_many(front.at(sink.url), items(3))


def test_a_limit_of_recipients_is_obeyed(front: Front, offers: list[str]) -> None:
    wanted = [*items(2, recipients=2), *items(1, recipients=7), *items(2, recipients=3)]
    with Sink(extensions=[*offers, "LIMITS RCPTMAX=3"]) as sink:
        receipts = {r.index: r for r in front.send_many(front.at(sink.url), wanted)}
    assert all(receipt.ok for receipt in receipts.values())
    assert [len(receipts[index].results) for index in range(5)] == [2, 2, 7, 3, 3]
    assert max(len(message.recipients) for message in sink.messages) == 3
    assert sink.count == 7


def crowd(most: int, reply: str = "452 4.5.3 Too many recipients") -> list[Fault]:
    """Refuse every recipient behind so many of one transaction."""
    taken = 0

    def begin(_: str) -> bool:
        nonlocal taken
        taken = 0
        return False

    def is_one_too_many(_: str) -> bool:
        nonlocal taken
        taken += 1
        return taken > most

    # The first never happens; it is asked where a transaction begins.
    return [
        Fault(on="MAIL", when=begin, reply="451 4.3.0 Never"),
        Fault(on="RCPT", when=is_one_too_many, reply=reply),
    ]


def test_for_whom_a_server_has_no_room_it_goes_again_in_another_transaction(
    front: Front, offers: list[str]
) -> None:
    wanted = [*items(3, recipients=2), *items(1, recipients=8), *items(3, recipients=3)]
    with Sink(extensions=offers, faults=crowd(3)) as sink:
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
    faults = [Fault(on="RCPT", when="<r0.1@", reply="550 5.1.1 no"), *crowd(2)]
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
    faults = [*gone, *crowd(2)]
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


# --- one message among others ---------------------------------------------------------------------


def test_an_item_that_cannot_be_sent_fails_alone(front: Front, offers: list[str]) -> None:
    good, to = items(2), Envelope("a@b.example", ["x@y.example"])

    def broken() -> Iterator[bytes]:
        yield b"Subject: x\r\n"
        raise ValueError("mine")

    odd: list[Any] = [
        good[0],
        None,
        "text",
        (to, "no/such/file"),
        (Envelope("a@b.example", ["x@y.example"], requiretls=True), b"x"),
        (to, b"x" * 2000),
        good[1],
        (to, broken()),
    ]
    limited = [*offers[:-1], "SIZE 1000"]
    with Sink(extensions=limited) as sink:
        receipts = {r.index: r for r in front.send_many(front.at(sink.url), odd)}
    assert len(receipts) == 8
    assert receipts[0].ok
    assert receipts[6].ok
    kinds = [type(receipts[n].error) for n in (1, 2, 3, 4, 5, 7)]
    assert kinds == [BadValue, BadValue, SourceFailed, NotOffered, TooLarge, SourceFailed]
    assert not any(receipts[n].ok for n in (1, 2, 3, 4, 5, 7))
    assert list(map(envelope, sink.messages)) == list(map(given, good))


def test_refusals_lend_nothing_to_the_next_message(front: Front, offers: list[str]) -> None:
    wanted = items(60, recipients=2)
    faults = [
        Fault(on="MAIL", when="<s7@", reply="550 5.1.8 no"),
        Fault(on="RCPT", when="<r17.", reply="550 5.1.1 no"),
        Fault(on="RCPT", when="<r27.1@", reply="450 4.2.1 later"),
        Fault(on=".", when="Subject: 37\r", reply="554 5.7.1 spam"),
        Fault(on="DATA" if "CHUNKING" not in offers else "BDAT", nth=48, reply="452 4.3.1 full"),
    ]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    found = by_index(receipts)
    assert len(found) == 60
    assert (found[7], found[17], found[27], found[37]) == (
        "NOT_SENT",
        "REFUSED",
        "ACCEPTED+DEFERRED",
        "REFUSED",
    )
    errors = {r.index: r.error for r in receipts if r.error is not None}
    assert isinstance(errors[7], SenderRefused)
    assert isinstance(errors[17], RecipientsRefused)
    taken = {index for index, outcome in found.items() if "ACCEPTED" in outcome}
    assert len(taken) == 56
    expected = [given(item) for index, item in enumerate(wanted) if index in taken]
    expected = [
        (sender, people[:1] if sender == "s27@b.example" else people, content)
        for sender, people, content in expected
    ]
    assert list(map(envelope, sink.messages)) == expected
    assert sink.violations == []


def test_with_the_policy_all_nobody_gets_a_message_that_one_is_refused(
    front: Front, offers: list[str]
) -> None:
    faults = [Fault(on="RCPT", when="<r1.1@", reply="550 5.1.1 no")]
    with Sink(extensions=offers, faults=faults) as sink:
        smtp = front.at(sink.url + "&recipient_policy=all")
        receipts = front.send_many(smtp, items(3, recipients=2))
    assert by_index(receipts) == {0: "ACCEPTED", 1: "NOT_SENT+REFUSED", 2: "ACCEPTED"}
    assert [message.sender for message in sink.messages] == ["s0@b.example", "s2@b.example"]


def test_listeners_hear_the_trail_and_the_refused(front: Front) -> None:
    heard: list[str] = []
    errors: list[Error] = []
    faults = [Fault(on="RCPT", when="<r1.1@", reply="550 5.1.1 no")]
    with Sink(faults=faults) as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = lambda event: heard.append(event.message)
        smtp.on_error = errors.append
        front.send_many(smtp, items(2, recipients=2))
    assert "MAIL FROM:<s1@b.example> SIZE=17" in heard
    assert "250 2.1.0 Sender OK" in heard
    assert "550 5.1.1 no" in heard
    assert not any("Subject" in line for line in heard)
    assert [error.description for error in errors] == ["<r1.1@y.example> was refused: 550 5.1.1 no"]
    assert isinstance(PITrail, type)


# --- a connection that breaks ---------------------------------------------------------------------


def test_a_421_costs_nothing_but_another_connection(front: Front, offers: list[str]) -> None:
    wanted = items(40)
    faults = [Fault(on="MAIL", nth=(11, 28), reply="421 4.7.0 too many", drop=True)]
    with Sink(extensions=offers, faults=faults) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert by_index(receipts) == dict.fromkeys(range(40), "ACCEPTED")
    assert sorted(map(envelope, sink.messages)) == sorted(map(given, wanted))
    assert len(sink.connections) == 3


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
    assert sorted(map(envelope, sink.messages)) == sorted(map(given, wanted))
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


def test_a_line_that_nobody_asked_for_poisons_the_connection(front: Front) -> None:
    faults = [Fault(on=".", nth=5, inject=b"250 2.0.0 what?\r\n")]
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
