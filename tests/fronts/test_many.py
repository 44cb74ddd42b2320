"""`send_many` through a real socket to the sink: the same on both fronts."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from smtps import Envelope, Error, Message, PITrail, Receipt
from smtps.drivers import supply
from smtps.errors import (
    BadValue,
    Busy,
    ConnectionFailed,
    NotOffered,
    RecipientsRefused,
    SenderRefused,
    SourceFailed,
    TooLarge,
)
from smtps.testing import Fault, Sink
from tests.support.bulk import OFFERS, arrived, by_index, given, items
from tests.support.fronts import Front

pytestmark = pytest.mark.uvloop

# --- what arrives ---------------------------------------------------------------------------------


def test_every_message_arrives_as_it_was_given(front: Front, offers: list[str]) -> None:
    wanted = items(100, recipients=3)
    with Sink(extensions=offers) as sink:
        receipts = front.send_many(front.at(sink.url), wanted)
    assert [receipt.index for receipt in receipts] == list(range(100))
    assert all(receipt.ok for receipt in receipts)
    assert list(map(arrived, sink.messages)) == list(map(given, wanted))
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
    assert str(receipts[3].error).endswith("No such file or directory: 'no/such/file'")
    assert not any(receipts[n].ok for n in (1, 2, 3, 4, 5, 7))
    assert list(map(arrived, sink.messages)) == list(map(given, good))


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
    assert list(map(arrived, sink.messages)) == expected
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


def test_with_the_policy_all_refusals_stop_only_their_own_message(
    front: Front, offers: list[str]
) -> None:
    wanted = [*items(4), *items(3, recipients=2)[2:], *items(4)]
    faults = [Fault(on="RCPT", when="<r1.0@", reply="550 5.1.1 no")]
    with Sink(extensions=offers, faults=faults) as sink:
        smtp = front.at(sink.url + "&recipient_policy=all")
        receipts = by_index(front.send_many(smtp, wanted))
    assert receipts == dict.fromkeys(range(9), "ACCEPTED") | {1: "REFUSED", 6: "REFUSED"}
    assert [arrived(message) for message in sink.messages] == [
        given(item) for index, item in enumerate(wanted) if index not in (1, 6)
    ]
    assert sink.violations == []


def _finished(number: int) -> Any:
    return items(1 + number)[number]


def _of_python(number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "s@b.example", f"r{number}@y.example"
    message.set_content("x\n")
    return message


@pytest.mark.parametrize("make", [_finished, _of_python])
def test_with_the_policy_all_who_is_alone_rides_behind_an_unanswered_message(
    front: Front, make: Callable[[int], Any]
) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url + "&recipient_policy=all")
        receipts = front.send_many(smtp, [make(number) for number in range(40)])
    assert all(receipt.ok for receipt in receipts)
    assert sink.connections[0].commands.count("RSET") > 20


def test_the_policy_all_changes_no_receipt_of_a_message_to_one_recipient(
    front: Front, offers: list[str]
) -> None:
    faults = [
        Fault(on="RCPT", when="<r1.0@", reply="550 5.1.1 no"),
        Fault(on="MAIL", when="<s3@", reply="451 4.3.0 later"),
        Fault(on="RCPT", when="<r5.0@", reply="452 4.5.3 full"),
    ]
    told = []
    for policy in ("any", "all"):
        with Sink(extensions=offers, faults=faults) as sink:
            smtp = front.at(f"{sink.url}&recipient_policy={policy}")
            receipts = front.send_many(smtp, items(8))
        told.append([(one.index, one.results, one.reply, repr(one.error)) for one in receipts])
    assert told[0] == told[1]
