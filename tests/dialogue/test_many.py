"""Many messages over as many connections as it takes, against a relay that does as it is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue import manners
from smtps.dialogue.command import command
from smtps.dialogue.many import send_all
from smtps.dialogue.opening import open_session
from smtps.dialogue.transaction import Transaction
from smtps.drivers.supply import IteratorSupply
from smtps.envelope import Envelope
from smtps.errors import (
    ConnectionLost,
    DeliveryUnknown,
    Interrupted,
    ServiceClosing,
    SMTPSError,
    SourceFailed,
)
from smtps.events import ConnectionStatus
from smtps.ops import Read
from smtps.receipt import Outcome
from smtps.wire.content import Composition, Content
from tests.support.fates import Relay, closes_at_mail, fates, items, send

# --- how a connection is used ---------------------------------------------------------------------


def test_a_connection_that_is_kept_is_not_closed() -> None:
    relay = Relay()
    assert send(relay, items("a"), keep=True)._live.resting
    assert "QUIT" not in relay.said[0]
    assert not send(relay, items("a"))._live.connected
    assert relay.said[1][-1] == "QUIT"


def test_a_connection_that_was_there_is_reset_only_if_something_was_left_open() -> None:
    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3)
    session, relay = smtp._live, Relay()
    session.begin()
    relay.run(open_session(session))
    relay.run(send_all(session, smtp._work(IteratorSupply(items("a")), None), None))
    assert relay.said[0][1:] == ["MAIL FROM:<a@b.example>", "RCPT TO:<r@y.example>", "DATA", "."]
    relay.run(command(session, "MAIL FROM:<x>"))
    relay.run(send_all(session, smtp._work(IteratorSupply(items("b")), None), None))
    assert relay.said[0][6] == "RSET"
    assert session.connected


def test_a_connection_that_may_carry_two_is_replaced_after_two() -> None:
    relay = Relay()
    send(relay, items("abcde"), most_messages=2)
    assert [relay.senders(number) for number in (1, 2, 3)] == ["ab", "cd", "e"]
    assert relay.slept == []
    assert [said[-1] for said in relay.said] == ["QUIT"] * 3


def test_after_a_refusal_and_a_success_messages_go_in_windows_again() -> None:
    def answer(_: int, line: str) -> bytes | None:
        return b"550 no\r\n" if line.startswith("MAIL FROM:<b") else None

    relay = Relay(answer, "PIPELINING CHUNKING")
    send(relay, items("b" + "a" * 60))
    assert relay.connections == 1
    assert fates(relay)[0] is Outcome.NOT_SENT
    assert max(relay.writes[-12:]) > 4


def test_a_server_that_closed_after_refusals_is_remembered() -> None:
    def answer(connection: int, line: str) -> bytes | None:
        if connection > 1 or not line.startswith("RCPT"):
            return None
        return b"421 too many\r\n" if "<c" in "".join(relay.said[-1][-2:]) else b"550 no\r\n"

    relay = Relay(answer, "PIPELINING CHUNKING")
    smtp = send(relay, items("abcd"))
    assert manners.manners_of(smtp._live).breaks_off


def test_a_server_that_counts_messages_is_not_asked_for_more() -> None:
    def answer(connection: int, line: str) -> bytes | None:
        is_fourth = line.startswith("MAIL") and len(relay.senders(connection)) == 4
        return b"421 enough\r\n" if is_fourth else None

    relay = Relay(answer)
    send(relay, items("a" * 13))
    assert fates(relay) == dict.fromkeys(range(13), Outcome.ACCEPTED)
    # Of the first two it closed at the fourth; the third is ended in time, and the next tries more.
    said = [relay.senders(number) for number in range(1, 6)]
    assert said == ["aaaa", "aaaa", "aaa", "aaaa", "a"]
    assert relay.said[2][-1] == "QUIT"


# --- the source -----------------------------------------------------------------------------------


def test_what_the_source_raises_is_raised_when_all_have_their_receipts() -> None:
    def source() -> Iterator[tuple[Envelope, bytes]]:
        yield from items("ab")
        raise ValueError("of the program")

    relay = Relay()
    with pytest.raises(ValueError, match="of the program"):
        send(relay, source())
    assert fates(relay) == {0: Outcome.ACCEPTED, 1: Outcome.ACCEPTED}
    assert relay.closed


def test_an_item_that_is_no_message_has_its_receipt_and_costs_no_connection() -> None:
    relay = Relay()
    send(relay, [*items("a"), None, *items("b")])
    assert [receipt.index for receipt in relay.receipts] == [0, 1, 2]
    assert relay.receipts[1].error is not None
    assert relay.connections == 1


def test_content_that_fails_under_way_costs_its_connection_and_no_other_message() -> None:
    def content() -> Iterator[bytes]:
        yield b"Subject: x\r\n"
        raise OSError("gone")

    relay = Relay()
    bad: Any = (Envelope("b@b.example", ["r@y.example"]), content())
    send(relay, [*items("a"), bad, *items("c")])
    assert fates(relay) == {0: Outcome.ACCEPTED, 1: Outcome.NOT_SENT, 2: Outcome.ACCEPTED}
    assert isinstance(relay.receipts[1].error, SourceFailed)
    assert relay.connections == 2


def test_content_that_can_be_read_once_goes_again_if_it_was_not_begun() -> None:
    relay = Relay(lambda number, line: b"" if number == 1 and line[:4] == "MAIL" else None)
    once: Any = (Envelope("a@b.example", ["r@y.example"]), iter([b"Subject: x\r\n"]))
    send(relay, [once, *items("b")])
    assert fates(relay) == {0: Outcome.ACCEPTED, 1: Outcome.ACCEPTED}


def test_an_interruption_ends_it_all() -> None:
    def answer(_: int, line: str) -> bytes | None:
        return None

    relay = Relay(answer)
    usual = relay._carry_out

    def interrupted(op: Any) -> Any:
        if isinstance(op, Read) and relay.said[-1][-1:] == ["RCPT TO:<r@y.example>"]:
            return Interrupted()
        return usual(op)

    relay._carry_out = interrupted  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        send(relay, items("ab"))
    assert fates(relay) == {}


def test_a_last_message_that_is_cut_off_says_why() -> None:
    relay = Relay(lambda _, line: b"421 4.3.2 closing\r\n" if line == "." else None)
    send(relay, items("a"))
    (receipt,) = relay.receipts
    error: SMTPSError | None = receipt.error
    assert isinstance(error, ServiceClosing)
    assert receipt.results[0].outcome is Outcome.DEFERRED
    assert relay.closed


def why_it_ended(relay: Relay) -> list[int]:
    """Give the numbers of the errors that connections ended with; 0 is none."""
    return [
        event.status_code
        for event in relay.told
        if isinstance(event, ConnectionStatus) and event.connection_event == "Remote Disconnect"
    ]


WATCHED = frozenset({ConnectionStatus})


def test_a_connection_that_broke_says_what_broke_it() -> None:
    def content() -> Iterator[bytes]:
        raise OSError("gone")
        yield b""

    relay = Relay()
    bad: Any = (Envelope("b@b.example", ["r@y.example"]), content())
    send(relay, [bad, *items("c")], heard=WATCHED)
    assert why_it_ended(relay) == [SourceFailed(OSError()).code, 0]
    relay = Relay(lambda number, line: b"" if number == 1 and line == "." else None)
    send(relay, items("ab"), heard=WATCHED)
    assert why_it_ended(relay) == [DeliveryUnknown(ConnectionLost()).code, 0]
    assert fates(relay) == {0: Outcome.UNKNOWN, 1: Outcome.ACCEPTED}


def test_messages_that_were_lost_unsent_are_no_progress() -> None:
    relay = Relay(closes_at_mail)
    once: list[Any] = [
        (Envelope("a@b.example", ["r@y.example"]), iter([b"Subject: x\r\n"])) for _ in range(6)
    ]
    send(relay, once)
    assert relay.connections == 3
    assert fates(relay) == dict.fromkeys(range(6), Outcome.NOT_SENT)


def test_what_was_opened_for_a_message_is_closed_whatever_became_of_it() -> None:
    for answer in (lambda *_: None, closes_at_mail):
        files = [io.BytesIO(b"x") for _ in range(2)]
        content = Composition(b"H: x\r\n\r\n", b"", [Content(files[0])], files)
        one = Transaction(Envelope("a@b.example", ["r@y.example"]), content)
        send(Relay(answer), [one])
        assert [file.closed for file in files] == [True, True]


class Held(IteratorSupply):
    """Holds its items back at first; notes whether it was waited for."""

    def __init__(self, names: str) -> None:
        super().__init__(items(names))
        self._holds = 2
        self.waited: list[bool] = []
        self.given_up: list[Any] = []
        self.has_others = False

    def pause(self, most: float) -> float:
        return most / 4

    def take(self, most: int, wait: bool, /) -> tuple[int, list[Any]]:
        self.waited.append(wait)
        if self._holds:
            self._holds -= 1
            return 0, []
        return super().take(most, wait)

    def adopt(self, jobs: list[Any], /) -> bool:
        self.given_up += jobs
        return self.has_others


def test_a_source_that_holds_items_back_is_asked_again_in_time() -> None:
    relay, supply = Relay(), Held("ab")
    send(relay, supply)
    assert relay.slept == [15.0, 15.0]
    assert fates(relay) == {0: Outcome.ACCEPTED, 1: Outcome.ACCEPTED}
    assert supply.waited == [True] * 5


def test_what_a_connection_gives_up_is_left_to_others_where_there_are_any() -> None:
    relay, supply = Relay(closes_at_mail), Held("a")
    supply.has_others = True
    send(relay, supply)
    assert relay.receipts == []
    assert len(supply.given_up) == 1
    assert relay.connections == 3


def test_the_time_to_an_answer_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    class Slow(Relay):
        def _take(self) -> bytes:
            nonlocal now
            now += 1.0
            return super()._take()

    monkeypatch.setattr("smtps.dialogue.many.monotonic", lambda: now)
    heard: list[tuple[int, float]] = []
    monkeypatch.setattr("smtps.meter.Meter.heard", lambda _, *values: heard.append(values))
    relay = Slow()
    smtp = send(relay, items("a"))
    ((count, seconds),) = heard
    assert (count, seconds) == (1, smtp._live.meter.reading)
    assert 0 < seconds < 9
