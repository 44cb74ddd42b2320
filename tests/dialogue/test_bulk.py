"""What a window does while a rate holds messages back, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue import manners
from smtps.dialogue.bulk import give
from smtps.dialogue.many import send_all
from smtps.envelope import Envelope
from smtps.errors import ConnectionLost, DeliveryUnknown, Interrupted, SMTPSError, TimedOut
from smtps.events import Direction, Error, PITrail
from smtps.letter import Letter
from smtps.ops import Call, Connect, Connected, Emit, Give, Poll, Read, Respond, Write
from smtps.phase import Phase
from smtps.receipt import Receipt
from smtps.reply import Reply

HELLO = b"250-relay\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
FIRST = b"250 mail\r\n250 rcpt\r\n250 taken\r\n250 reset\r\n"


class Trickle:
    """Gives an item, holds the next one back a few times, and so on."""

    failure = None

    def __init__(self, items: list[Any], holds: int) -> None:
        self._left = list(enumerate(items))
        self._holds, self._most_holds = 0, holds
        self._pause = 0.0

    @property
    def exhausted(self) -> bool:
        return not self._left

    def pause(self, most: float) -> float:
        pause, self._pause = min(self._pause, most), 0.0
        return pause

    def adopt(self, _: list[Any]) -> bool:
        return False

    def adopted(self) -> list[Any]:
        return []

    def end(self) -> None:
        pass

    def take(self, _: int, __: bool) -> tuple[int, list[Any]]:
        if self._holds:
            self._holds -= 1
            self._pause = 5.0
            return 0, []
        self._holds = self._most_holds
        index, item = self._left.pop(0)
        return index, [item]


class Relay:
    """Answers nothing but what a test lets it."""

    hello = HELLO

    def __init__(self) -> None:
        self.output = b"220 relay\r\n"
        self.input = b""
        self.bided: list[float] = []
        self.receipts: list[Receipt] = []

    def carry_out(self, op: Any) -> Any:
        match op:
            case Connect():
                return Connected("client.example", "192.0.2.1", "192.0.2.2")
            case Write():
                self.input += bytes(op.data)
                op.sent = len(op.data)
                if op.data[:4] == b"EHLO":
                    self.output += self.hello
                self.written()
            case Read() | Poll():
                output, self.output = self.output, b""
                if isinstance(op, Read) and op.patience is not None and not output:
                    self.bided.append(op.patience)
                    return None
                assert output or isinstance(op, Poll), "it waits for what never comes"
                return output or None
            case Respond():
                assert self.output, "it waits for what never comes"
                output, self.output = self.output, b""
                assert op.answer(output) is None
            case Give():
                self.receipts += op.receipts
            case Call():
                return op.function(*op.arguments)
        return None

    def written(self) -> None:
        """What happens after each write."""


def send(relay: Relay, supply: Trickle, *, until: int, heard: type[PITrail] | None = None) -> None:
    """Send until there are so many receipts."""
    manners.forget()
    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3)
    smtp._live.begin()
    smtp._live.heard = frozenset({heard} if heard else ())
    dialogue = send_all(smtp._live, smtp._work(supply, None), None)
    op = next(dialogue)
    while len(relay.receipts) < until:
        try:
            result = relay.carry_out(op)
        except SMTPSError as error:
            op = dialogue.throw(error)
        else:
            op = dialogue.send(result)
    dialogue.close()


def items(count: int) -> list[Any]:
    return [(Envelope("s@b.example", ["r@y.example"]), b"Subject: x\r\n") for _ in range(count)]


def test_a_message_that_a_rate_lets_go_does_not_wait_for_the_reply_to_another() -> None:
    class Late(Relay):
        def written(self) -> None:
            if self.input.count(b"BDAT") == 2:
                self.output = FIRST + FIRST

    relay = Late()
    send(relay, Trickle(items(2), holds=2), until=2)
    assert [receipt.ok for receipt in relay.receipts] == [True, True]
    assert relay.bided == [1.0, 1.0]


def test_replies_that_have_come_count_when_the_waiting_is_interrupted() -> None:
    class Stopped(Relay):
        def carry_out(self, op: Any) -> Any:
            if isinstance(op, Read) and op.patience is not None:
                self.output = FIRST
                raise Interrupted
            return super().carry_out(op)

    relay = Stopped()
    send(relay, Trickle(items(2), holds=2), until=1)
    assert relay.receipts[0].ok


def test_a_server_that_is_silent_while_a_rate_holds_messages_back_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    class Silent(Relay):
        def carry_out(self, op: Any) -> Any:
            nonlocal now
            now += (op.patience or 0.0) if isinstance(op, Read) else 0.0
            return super().carry_out(op)

    monkeypatch.setattr("smtps.dialogue.bulk.monotonic", lambda: now)
    relay = Silent()
    send(relay, Trickle(items(2), holds=100_000), until=1)
    assert now == pytest.approx(600, abs=1)
    assert relay.receipts[0].unknown
    assert isinstance(relay.receipts[0].error, DeliveryUnknown)
    assert isinstance(relay.receipts[0].error.__cause__, TimedOut)


def test_who_listens_for_errors_hears_of_each_refused_recipient() -> None:
    reply = Reply(550, "5.1.1", ("no such user",))
    taken = Reply(250, None, ("taken",))
    some = Letter(3, Envelope("s@b.example", ["a@y.example", "b@y.example"]), b"")
    receipts = [some.taken({1: reply}, taken), some.taken({}, taken), some.unsent(TimedOut(1.0))]
    session = SMTPS(mail_server="relay.example")._live
    session.heard = frozenset({Error})
    *told, given = list(give(session, receipts))
    assert told == [Emit(Error(161, f"<b@y.example> was refused: {reply}"))]
    assert given == Give(receipts)
    session.heard = frozenset()
    assert list(give(session, receipts)) == [Give(receipts)]
    assert list(give(session, [])) == []


def test_the_last_reply_of_what_is_given_is_that_of_the_session() -> None:
    session = SMTPS(mail_server="relay.example")._live
    letter, taken = Letter(0, Envelope("s@b.example", ["a@y.example"]), b""), Reply(250, None, ())
    list(give(session, [letter.taken({}, taken)]))
    assert session.last_reply is taken
    list(give(session, [letter.unsent(TimedOut(1.0))]))
    assert session.last_reply is taken


@pytest.mark.parametrize("surplus", [b"", b"250 more\r\n"])
def test_who_was_refused_is_told_when_only_ehlo_can_have_been_answered(surplus: bytes) -> None:
    class Partly(Relay):
        def written(self) -> None:
            if self.input.endswith(b"RSET\r\n"):
                said = b"250 mail\r\n%b550 no\r\n250 rcpt\r\n250 taken\r\n250 reset\r\n" % surplus
                # With one too many, the last comes when it seems that all is said.
                lines = said.splitlines(keepends=True)
                self.output, self.late = b"".join(lines[:5]), b"".join(lines[5:])
            elif self.input.count(b"EHLO") == 2:
                # What EHLO brings is still on its way then.
                self.output = self.late or self.output

    relay = Partly()
    item = Envelope("a@b.example", ["c@d.example", "e@f.example"]), b"Subject: x\r\n\r\nx\r\n"
    send(relay, Trickle([item], holds=0), until=1)
    (receipt,) = relay.receipts
    if surplus:
        assert receipt.unknown == ("c@d.example", "e@f.example")
    else:
        assert (receipt.refused, receipt.accepted) == (("c@d.example",), ("e@f.example",))


# --- a connection that ends -----------------------------------------------------------------------


class Ending(Relay):
    """Ends somehow when it has answered the first message and the second one is written."""

    def __init__(self, error: SMTPSError, *, said: bytes = FIRST) -> None:
        super().__init__()
        self._error, self._said = error, said
        self.trail: list[PITrail] = []

    def carry_out(self, op: Any) -> Any:
        if isinstance(op, Write) and op.data[:4] == b"MAIL":
            op.sent = len(op.data)
            self.output = self._said
            raise self._error
        if isinstance(op, Read) and not self.output and op.patience is None:
            raise ConnectionLost(phase=Phase.IDLE)
        if isinstance(op, Emit) and isinstance(op.event, PITrail):
            self.trail.append(op.event)
        return super().carry_out(op)


@pytest.mark.parametrize(
    "error", [ConnectionLost("broken pipe"), TimedOut(1.0), Interrupted()], ids=repr
)
def test_what_the_server_said_before_a_write_failed_counts(error: SMTPSError) -> None:
    relay = Ending(error)
    send(relay, Trickle(items(1), holds=0), until=1)
    assert relay.receipts[0].ok


def test_what_is_not_answered_when_a_write_fails_is_unknown() -> None:
    relay = Ending(ConnectionLost("broken pipe"), said=FIRST[:-20])
    send(relay, Trickle(items(1), holds=0), until=1)
    assert relay.receipts[0].unknown


def test_the_trail_shows_what_the_server_said_last() -> None:
    relay = Ending(ConnectionLost("broken pipe"))
    send(relay, Trickle(items(1), holds=0), until=1, heard=PITrail)
    assert PITrail(Direction.SERVER, "250 taken") in relay.trail
    assert PITrail(Direction.CLIENT, "MAIL FROM:<s@b.example>") in relay.trail


def test_a_final_reply_that_is_late_names_the_phase() -> None:
    class Late(Relay):
        def carry_out(self, op: Any) -> Any:
            if isinstance(op, Respond):
                raise TimedOut(600.0)
            return super().carry_out(op)

    relay = Late()
    send(relay, Trickle(items(1), holds=0), until=1)
    (receipt,) = relay.receipts
    assert isinstance(receipt.error, DeliveryUnknown)
    cause = receipt.error.__cause__
    assert isinstance(cause, TimedOut)
    assert cause.phase is Phase.FINAL


@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_only_a_message_of_eight_bits_is_declared_so(letter: str) -> None:
    class Eight(Relay):
        hello = b"250-relay\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n"

        def written(self) -> None:
            if self.input.endswith(b"RSET\r\n"):
                self.output = FIRST

    relay = Eight()
    item = Envelope("s@b.example", ["r@y.example"]), f"Subject: {letter}\r\n".encode()
    send(relay, Trickle([item], holds=0), until=1)
    assert relay.receipts[0].ok
    assert (b"MAIL FROM:<s@b.example> BODY=8BITMIME\r\n" in relay.input) is (letter != "x")
