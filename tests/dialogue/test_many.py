"""Many messages over as many connections as it takes, against a relay that does as it is told."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
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
    ConnectionFailed,
    ConnectionLost,
    DeliveryUnknown,
    Interrupted,
    ServiceClosing,
    SMTPSError,
    SourceFailed,
)
from smtps.events import ConnectionStatus
from smtps.ops import Call, Close, Connect, Connected, Emit, Give, Poll, Read, Respond, Sleep, Write
from smtps.receipt import Outcome, Receipt
from smtps.wire.content import Composition, Content

#: What answers a command, by the number of the connection: a reply, b"" to close, or nothing.
Answer = Callable[[int, str], bytes | None]
USUAL = {"EHLO": b"250-relay\r\n250 HELP\r\n", "DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n"}


class Relay:
    """Answers as usual, but where `answer` says something else; keeps what was said and done."""

    def __init__(self, answer: Answer = lambda *_: None, offers: str = "") -> None:
        self._answer = answer
        words = ["relay", *offers.split()]
        lines = [f"250-{word}\r\n" for word in words[:-1]] + [f"250 {words[-1]}\r\n"]
        self._hello = "".join(lines).encode()
        self.connections = 0
        self.said: list[list[str]] = []
        #: How many messages each write began.
        self.writes: list[int] = []
        self.slept: list[float] = []
        self.receipts: list[Receipt] = []
        self.told: list[object] = []
        self.closed = self._has_sender = self._has_people = False
        self._input, self._output, self._over, self._in_data = b"", b"", False, False

    def run(self, dialogue: Any) -> None:
        result: Any = None
        while True:
            try:
                failed = isinstance(result, Exception)
                op = dialogue.throw(result) if failed else dialogue.send(result)
            except StopIteration:
                return
            result = self._carry_out(op)

    def _carry_out(self, op: Any) -> Any:
        match op:
            case Connect():
                return self._connect()
            case Write():
                return self._write(op)
            case Read() | Poll():
                if not self._output and not self._over:
                    assert isinstance(op, Poll), "it waits for what never comes"
                    return None
                return self._take()
            case Respond():
                assert self._output or self._over, "it waits for what never comes"
                data = self._take()
                answer = op.answer(data) if data else None
                if answer is not None:
                    failed = self._write(answer)
                    if failed:
                        return failed
                    op.written()
                return data
            case Give():
                self.receipts += op.receipts
            case Call():
                return op.function(*op.arguments)
            case Sleep():
                self.slept.append(op.seconds)
            case Close():
                self.closed = True
            case Emit():
                self.told.append(op.event)
        return None

    def _connect(self) -> Any:
        self._input, self._output, self._over, self._in_data = b"", b"220 relay\r\n", False, False
        self.connections += 1
        self.said.append([])
        self.closed = False
        answer = self._answer(self.connections, "connect")
        if answer is not None:
            return ConnectionFailed("refused", code=10061)
        return Connected("client.example", "192.0.2.1", "192.0.2.2")

    def _take(self) -> bytes:
        output, self._output = self._output, b""
        return output

    def _write(self, op: Write) -> Any:
        if self._over:
            return ConnectionLost("the connection broke")
        data = bytes(op.data)
        op.sent = len(data)
        self.writes.append(data.count(b"MAIL FROM"))
        self._input += data
        while not self._over and self._one():
            pass
        return False

    def _one(self) -> bool:
        end = self._input.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
        if end < 0:
            return False
        if self._in_data:
            self._input, line = self._input[end + 5 :], "."
            self._in_data = False
        else:
            line, self._input = self._input[:end].decode(), self._input[end + 2 :]
        if line.startswith("BDAT"):
            self._input = self._input[int(line.split()[1]) :]
        self.said[-1].append(line)
        verb = line.split()[0]
        reply = self._answer(self.connections, line)
        if reply is None and not self._has_people and verb in ("DATA", "BDAT"):
            reply = b"503 nobody\r\n"
        if reply is None and not self._has_sender and verb == "RCPT":
            reply = b"503 no sender\r\n"
        if reply is None:
            reply = self._hello if verb == "EHLO" else USUAL.get(verb, b"250 ok\r\n")
            self._in_data = verb == "DATA"
        if verb in ("MAIL", "RCPT", "RSET", "EHLO"):
            is_taken = reply.startswith(b"250")
            self._has_people = verb == "RCPT" and (self._has_people or is_taken)
            self._has_sender = verb == "RCPT" or (verb == "MAIL" and is_taken)
        self._output += reply
        self._over = not reply or reply.startswith(b"421") or verb == "QUIT"
        return True

    def senders(self, connection: int) -> str:
        """Of which messages a connection was told, in order."""
        return "".join(line[11] for line in self.said[connection - 1] if line[:4] == "MAIL")


def items(names: str) -> list[tuple[Envelope, bytes]]:
    return [(Envelope(f"{name}@b.example", ["r@y.example"]), b"Subject: x\r\n") for name in names]


def send(relay: Relay, source: Any, *, keep: bool = False, **options: Any) -> SMTPS:
    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3)
    for name, value in options.items():
        setattr(smtp._live, name, value)
    smtp._live.begin()
    supply = source if isinstance(source, IteratorSupply) else IteratorSupply(source)
    relay.run(send_all(smtp._live, smtp._work(supply, None), None, keep=keep))
    return smtp


def fates(relay: Relay) -> dict[int, Outcome]:
    return {receipt.index: receipt.results[0].outcome for receipt in relay.receipts}


def closes_at_mail(_: int, line: str) -> bytes | None:
    return b"" if line.startswith("MAIL") else None


# --- connections that are of no use ---------------------------------------------------------------


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


def test_content_that_cannot_be_read_again_is_not_sent_again() -> None:
    relay = Relay(lambda number, line: b"" if number == 1 and line[:4] == "MAIL" else None)
    once: Any = (Envelope("a@b.example", ["r@y.example"]), iter([b"Subject: x\r\n"]))
    send(relay, [once, *items("b")])
    assert fates(relay) == {0: Outcome.NOT_SENT, 1: Outcome.ACCEPTED}


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
