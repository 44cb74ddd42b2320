"""One transaction against transcripts: what is written, and what the receipt says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from smtps.dialogue.delivery import deliver
from smtps.dialogue.transaction import Transaction
from smtps.enumerations import Protocol
from smtps.envelope import Envelope
from smtps.errors import (
    ConnectionLost,
    DeliveryUnknown,
    MessageRefused,
    ProtocolError,
    RecipientsRefused,
    SenderRefused,
    ServiceClosing,
)
from smtps.events import Transfer
from smtps.ops import Write
from smtps.receipt import Outcome, Receipt
from smtps.session import Session
from smtps.wire.content import Content, Section
from tests.support.player import Player, resting_session

ENVELOPE = "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<x@y.example>\nC: RCPT TO:<z@y.example>\n"
CONTENT = "C: Subject: x\nC: \nC: ..\nC: .\n"


def play(
    transcript: str,
    *,
    offers: str = "PIPELINING",
    split: bool = False,
    required: bool = False,
    protocol: Protocol = Protocol.SMTP,
) -> tuple[Receipt, Session]:
    session = resting_session(offers, protocol=protocol)
    envelope = Envelope("a@b.example", ["x@y.example", "z@y.example"])
    content = Content(b"Subject: x\n\n.\n")
    player = Player(transcript, split=split)
    transaction = Transaction(envelope, content, required=range(2) if required else ())
    receipt = player.play(deliver(session, transaction))
    player.finish()
    return receipt, session


def outcomes(receipt: Receipt) -> list[Outcome]:
    return [result.outcome for result in receipt.results]


@pytest.mark.parametrize("split", [False, True])
def test_a_pipelined_transaction_takes_two_round_trips(split: bool) -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}S: 250 taken",
        split=split,
    )
    assert receipt.ok
    assert receipt.reply is not None
    assert receipt.reply.text == "taken"
    assert session.resting


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    receipt, _ = play(
        "C: MAIL FROM:<a@b.example>\nS: 250 ok\nC: RCPT TO:<x@y.example>\nS: 250 ok\n"
        f"C: RCPT TO:<z@y.example>\nS: 550 no\nC: DATA\nS: 354 go\n{CONTENT}S: 250 taken",
        offers="",
    )
    assert outcomes(receipt) == [Outcome.ACCEPTED, Outcome.REFUSED]
    assert receipt.error is None


def test_a_refused_recipient_keeps_its_own_reply() -> None:
    receipt, _ = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 450 later\nS: 250 ok\nS: 354 go\n{CONTENT}S: 250 taken"
    )
    assert receipt.deferred == ("x@y.example",)
    assert receipt.accepted == ("z@y.example",)


def test_no_recipient_accepted_and_354_all_the_same_ends_with_a_lone_dot() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 550 no\nS: 550 no\nS: 354 go\nC: .\nS: 554 nobody\n"
        "C: RSET\nS: 250 ok"
    )
    assert isinstance(receipt.error, RecipientsRefused)
    assert outcomes(receipt) == [Outcome.REFUSED, Outcome.REFUSED]
    assert session.resting


def test_a_refused_sender_sends_to_nobody_and_resets() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 550 no\nS: 503 no\nS: 503 no\nS: 503 no\nC: RSET\nS: 250 ok"
    )
    assert isinstance(receipt.error, SenderRefused)
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert session.resting


def test_a_required_recipient_holds_data_back() -> None:
    receipt, _ = play(
        f"{ENVELOPE}S: 250 ok\nS: 250 ok\nS: 550 no\nC: RSET\nS: 250 ok", required=True
    )
    assert isinstance(receipt.error, RecipientsRefused)
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.REFUSED]


def test_a_refused_message_is_refused_for_all_that_were_accepted() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}S: 554 spam\n"
        "C: RSET\nS: 250 ok"
    )
    assert isinstance(receipt.error, MessageRefused)
    assert receipt.refused == ("x@y.example", "z@y.example")
    assert session.resting


def test_a_connection_lost_at_rset_does_not_change_what_is_known() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}S: 554 spam\n"
        "C: RSET\nX"
    )
    assert receipt.refused == ("x@y.example", "z@y.example")
    assert not session.resting


def test_a_connection_lost_after_the_dot_is_unknown() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}X"
    )
    assert outcomes(receipt) == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert isinstance(receipt.error, DeliveryUnknown)
    assert not session.resting


def test_a_connection_lost_before_the_content_is_not_sent() -> None:
    receipt, _ = play(f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nX")
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert isinstance(receipt.error, ConnectionLost)


def test_421_in_the_middle_of_a_transaction_is_retryable_and_not_sent() -> None:
    receipt, session = play(f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 421 bye")
    assert isinstance(receipt.error, ServiceClosing)
    assert receipt.error.retryable
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert not session.resting


def test_421_to_the_content_is_an_answer() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}S: 421 later"
    )
    assert outcomes(receipt) == [Outcome.DEFERRED, Outcome.DEFERRED]
    assert not session.resting


def test_a_reply_glued_to_354_is_a_protocol_error_before_the_dot() -> None:
    receipt, _ = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 taken"
    )
    assert isinstance(receipt.error, ProtocolError)
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]


def test_a_reply_too_many_after_the_dot_makes_the_outcome_unknown() -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}"
        "S: 250 taken\nS: 554 no"
    )
    assert outcomes(receipt) == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert not session.resting


def test_250_to_data_is_a_protocol_error() -> None:
    receipt, _ = play(f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok")
    assert isinstance(receipt.error, ProtocolError)


def test_a_line_that_arrives_while_idle_stops_the_transaction_before_it_begins() -> None:
    receipt, _ = play("P: 250 what")
    assert isinstance(receipt.error, ProtocolError)
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]


def test_an_idle_server_that_said_421_is_found_out_before_mail() -> None:
    receipt, _ = play("P: 421 idle too long")
    assert receipt.error is not None
    assert receipt.error.retryable
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]


def test_the_last_words_before_a_broken_pipe_decide() -> None:
    receipt, _ = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nW!\nS: 552 too big"
    )
    assert receipt.refused == ("x@y.example", "z@y.example")
    assert receipt.reply is not None
    assert receipt.reply.code == 552


def test_nonsense_behind_good_replies_is_not_waited_for() -> None:
    receipt, session = play(f"{ENVELOPE}C: DATA\nS: 250 ok\nS: nonsense\nS: 250 ok\nS: 354 go")
    assert isinstance(receipt.error, ProtocolError)
    assert outcomes(receipt) == [Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert not session.resting


@pytest.mark.parametrize("gap", ["", "--\n"])
def test_of_one_final_reply_too_many_nobody_can_tell_whose_each_is(gap: str) -> None:
    receipt, session = play(
        f"{ENVELOPE}S: 250 ok\nS: 250 ok\nS: 250 ok\nC: DATA\nS: 354 go\n{CONTENT}"
        f"S: 250 taken\n{gap}S: 250 taken\nS: 250 taken",
        protocol=Protocol.LMTP,
    )
    assert outcomes(receipt) == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert isinstance(receipt.error, DeliveryUnknown)
    assert not session.resting


# --- positive replies that are those of something else --------------------------------------------


def is_out_of_step(receipt: Receipt, session: Session, words: str) -> bool:
    error = receipt.error
    cause = error.__cause__ if isinstance(error, DeliveryUnknown) else error
    return isinstance(cause, ProtocolError) and words in str(cause) and not session.resting


@pytest.mark.parametrize("reply", ["354 go", "221 bye", "211 help"])
def test_a_positive_reply_that_mail_cannot_have_ends_the_session(reply: str) -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: {reply}\nS: 250 ok\nS: 250 ok\nS: 354 go", offers="PIPELINING"
    )
    assert is_out_of_step(receipt, session, reply)
    assert set(outcomes(receipt)) == {Outcome.NOT_SENT}
    receipt, session = play(f"C: MAIL FROM:<a@b.example>\nS: {reply}", offers="")
    assert is_out_of_step(receipt, session, reply)
    assert set(outcomes(receipt)) == {Outcome.NOT_SENT}


@pytest.mark.parametrize("reply", ["354 go", "221 bye", "211 help"])
def test_a_positive_reply_that_rcpt_cannot_have_ends_the_session(reply: str) -> None:
    receipt, session = play(f"{ENVELOPE}C: DATA\nS: 250 ok\nS: {reply}\nS: 250 ok\nS: 354 go")
    assert is_out_of_step(receipt, session, reply)
    receipt, session = play(
        "C: MAIL FROM:<a@b.example>\nS: 250 ok\n"
        f"C: RCPT TO:<x@y.example>\nS: 250 ok\nC: RCPT TO:<z@y.example>\nS: {reply}",
        offers="",
    )
    assert is_out_of_step(receipt, session, reply)


@pytest.mark.parametrize("reply", ["354 go", "221 bye", "251 elsewhere"])
def test_a_positive_reply_that_content_cannot_have_leaves_the_outcome_unknown(reply: str) -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\n{CONTENT}S: {reply}"
    )
    assert is_out_of_step(receipt, session, f"expected 250 to the content, not: {reply}")
    assert set(outcomes(receipt)) == {Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("finals", "expected"),
    [
        ("S: 250 taken\nS: 251 hm", [Outcome.ACCEPTED, Outcome.UNKNOWN]),
        ("S: 251 hm", [Outcome.UNKNOWN, Outcome.UNKNOWN]),
    ],
)
def test_a_positive_reply_that_is_not_one_to_content_accepts_nobody(
    finals: str, expected: list[Outcome]
) -> None:
    receipt, session = play(
        f"{ENVELOPE}S: 250 ok\nS: 250 ok\nS: 250 ok\nC: DATA\nS: 354 go\n{CONTENT}{finals}",
        protocol=Protocol.LMTP,
    )
    assert outcomes(receipt) == expected
    assert isinstance(receipt.error, DeliveryUnknown)
    assert "expected 250 to the content, not: 251 hm" in str(receipt.error)
    assert not session.resting


@pytest.mark.parametrize(("rcpt", "is_shared"), [("250 ok", False), ("550 no", True)])
def test_the_last_reply_of_lmtp_is_that_of_the_message_where_there_is_one_alone(
    rcpt: str, is_shared: bool
) -> None:
    finals = "S: 250 taken" if is_shared else "S: 250 taken\nS: 250 taken"
    receipt, _ = play(
        f"{ENVELOPE}S: 250 ok\nS: 250 ok\nS: {rcpt}\nC: DATA\nS: 354 go\n{CONTENT}{finals}",
        protocol=Protocol.LMTP,
    )
    assert (receipt.reply is not None) is is_shared


@pytest.mark.parametrize(("reply", "retryable"), [("452 full", True), ("552 too much", False)])
def test_a_refusal_that_ends_the_session_may_be_tried_again_if_it_is_of_400(
    reply: str, retryable: bool
) -> None:
    receipt, session = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nW!\nS: {reply}"
    )
    assert outcomes(receipt) == [Outcome.DEFERRED if retryable else Outcome.REFUSED] * 2
    assert isinstance(receipt.error, ConnectionLost)
    assert receipt.error.retryable is retryable
    assert not session.resting


@pytest.mark.parametrize("reply", ["250 ok", "251 I send it on", "252 I will try"])
def test_every_reply_that_takes_a_recipient_takes_it(reply: str) -> None:
    receipt, _ = play(
        f"{ENVELOPE}C: DATA\nS: 250 ok\nS: {reply}\nS: 250 ok\nS: 354 go\n{CONTENT}S: 250 taken"
    )
    assert receipt.ok


class Unlike(Content):
    """Content that turns out to have another size than was known before."""

    __slots__ = ("known",)
    known: int | None

    def sections(self) -> Iterator[Section]:
        yield Section(self.known, iter([b"A: b\r\n", b"C: d\r\n"]))


@pytest.mark.parametrize(
    ("known", "percents"), [(12, [50, 100]), (10, [60, 100]), (None, [-1, -1]), (0, [-1, -1])]
)
def test_progress_is_told_in_hundredths_as_far_as_the_size_is_known(
    known: int | None, percents: list[int]
) -> None:
    session = resting_session("PIPELINING")
    session.heard = frozenset({Transfer})
    content = Unlike(b"A: b\r\nC: d\r\n")
    content.known = known
    envelope = Envelope("a@b.example", ["x@y.example"])
    player = Player(
        "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<x@y.example>\nC: DATA\nS: 250 a\nS: 250 b\n"
        "S: 354 go\nC: A: b\nC: C: d\nC: .\nS: 250 taken"
    )
    player.play(deliver(session, Transaction(envelope, content)))
    steps = [event for event in player.events if isinstance(event, Transfer)]
    assert [step.percent_done for step in steps] == percents
    assert [step.bytes_transferred for step in steps] == [6, 12]


class Impatient(Player):
    """A server that answers the content before it is at its end."""

    def _perform(self, op: Any) -> Any:
        result = super()._perform(op)
        return bytes(op.data) == b"A: b\r\n" if isinstance(op, Write) else result


@pytest.mark.parametrize(
    ("reply", "outcome", "said"),
    [
        ("552 too large", Outcome.REFUSED, "the server refused before the end of the content"),
        ("452 full", Outcome.DEFERRED, "the server refused before the end of the content"),
        ("250 taken", Outcome.NOT_SENT, "a reply came before the end of the content"),
    ],
)
def test_what_is_said_before_the_end_of_the_content_ends_it_there(
    reply: str, outcome: Outcome, said: str
) -> None:
    session = resting_session("PIPELINING")
    session.heard = frozenset({Transfer})
    content = Unlike(b"A: b\r\nC: d\r\n")
    content.known = 12
    player = Impatient(
        "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<x@y.example>\nC: DATA\nS: 250 a\nS: 250 b\n"
        f"S: 354 go\nC: A: b\nS: {reply}"
    )
    transaction = Transaction(Envelope("a@b.example", ["x@y.example"]), content)
    receipt = player.play(deliver(session, transaction))
    player.finish()
    assert outcomes(receipt) == [outcome]
    assert str(receipt.error).startswith(said)
    assert not session.resting
