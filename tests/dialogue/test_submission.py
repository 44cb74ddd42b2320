"""What listeners are told of one message, and what is left of a session behind it."""

from __future__ import annotations

import pytest

from smtps.dialogue.submission import submit
from smtps.dialogue.transaction import Transaction
from smtps.envelope import Envelope
from smtps.errors import NotOffered
from smtps.events import Error
from smtps.wire.content import Content
from tests.support.player import Player, resting_session

PEOPLE = ["x@y.example", "z@y.example"]
MAIL = "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<x@y.example>\nC: RCPT TO:<z@y.example>\nC: DATA\n"
GO = "S: 250 mail\nS: 250 x\nS: 550 no z\nS: 354 go\nC: Subject: x\nC: .\n"


def told(transcript: str, transaction: Transaction) -> list[Error]:
    """Submit over a session that is up, and give what was told."""
    session = resting_session("PIPELINING")
    session.heard = frozenset({Error})
    player = Player(transcript)
    player.play(submit(session, transaction))
    player.finish()
    return [event for event in player.events if isinstance(event, Error)]


def test_each_refused_recipient_of_a_message_that_went_is_told_once() -> None:
    transaction = Transaction(Envelope("a@b.example", PEOPLE), content())
    events = told(f"{MAIL}{GO}S: 250 taken", transaction)
    assert events == [Error(161, "<z@y.example> was refused: 550 no z")]


def test_options_of_a_recipient_that_are_left_out_are_told() -> None:
    transaction = Transaction(
        Envelope("a@b.example", PEOPLE), content(), rcpt_options={1: "NOTIFY=NEVER"}
    )
    first, _ = told(f"{MAIL}{GO}S: 250 taken", transaction)
    sentence = "<z@y.example>: the server does not offer DSN; the options were left out"
    assert first == Error(161, sentence)


def test_what_a_command_of_the_program_began_lends_nothing_to_a_message() -> None:
    session = resting_session("PIPELINING")
    session.touched = True
    player = Player(f"C: RSET\nS: 250 ok\n{MAIL}{GO}S: 250 taken")
    player.play(submit(session, Transaction(Envelope("a@b.example", PEOPLE), content())))
    player.finish()


def test_a_message_that_the_server_cannot_carry_leaves_the_session_that_was_there() -> None:
    session = resting_session()
    transaction = Transaction(Envelope("a@b.example", PEOPLE, smtputf8=True), content())
    player = Player("")
    with pytest.raises(NotOffered):
        player.play(submit(session, transaction))
    assert not player.closed
    assert session.resting


def content() -> Content:
    return Content(b"Subject: x\r\n")
