"""Content as chunks: what is written, and which reply decides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtps.dialogue import chunks
from smtps.dialogue.delivery import deliver
from smtps.dialogue.transaction import Transaction
from smtps.envelope import Envelope
from smtps.errors import MessageRefused, ProtocolError
from smtps.events import Transfer
from smtps.receipt import Outcome, Receipt
from smtps.session import Session
from smtps.wire.content import Content, Source
from tests.support.player import Player, resting_session

MAIL = "C: MAIL FROM:<a@b.example>\nC: RCPT TO:<x@y.example>\nS: 250 ok\nS: 250 ok\n"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_CHUNK", 4)


def play(
    transcript: str, source: Source, *, offers: str = "PIPELINING,CHUNKING"
) -> tuple[Receipt, Session]:
    session = resting_session(offers)
    player = Player(MAIL + transcript)
    transaction = Transaction(Envelope("a@b.example", ["x@y.example"]), Content(source))
    receipt = player.play(deliver(session, transaction, careful=True))
    player.finish()
    return receipt, session


def test_a_small_content_is_one_chunk() -> None:
    receipt, session = play("C: BDAT 4 LAST\nC: ab\nS: 250 taken", iter([b"ab\n"]))
    assert receipt.ok
    assert session.resting


def test_an_empty_content_is_an_empty_chunk() -> None:
    receipt, _ = play("C: BDAT 0 LAST\nS: 250 taken", iter([]))
    assert receipt.ok


def test_each_chunk_is_answered_and_the_last_one_waits_for_the_others() -> None:
    receipt, _ = play(
        "C: BDAT 4\nC: ab\nC: BDAT 4\nC: cd\nS: 250 ok\nS: 250 ok\nC: BDAT 4 LAST\nC: ef\n"
        "S: 250 taken",
        iter([b"ab\ncd\nef"]),
    )
    assert receipt.ok
    assert receipt.reply is not None
    assert receipt.reply.text == "taken"


def test_without_pipelining_each_chunk_waits_for_its_reply() -> None:
    transcript = (
        "C: MAIL FROM:<a@b.example>\nS: 250 ok\nC: RCPT TO:<x@y.example>\nS: 250 ok\n"
        "C: BDAT 4\nC: ab\nS: 250 ok\nC: BDAT 4 LAST\nC: cd\nS: 250 taken"
    )
    session = resting_session("CHUNKING")
    player = Player(transcript)
    transaction = Transaction(Envelope("a@b.example", ["x@y.example"]), Content(iter([b"ab\ncd"])))
    assert player.play(deliver(session, transaction, careful=True)).ok
    player.finish()


def test_a_chunk_that_is_refused_ends_the_message_before_it_is_handed_over() -> None:
    receipt, session = play(
        "C: BDAT 4\nC: ab\nC: BDAT 4\nC: cd\nS: 552 too large\nS: 503 no\nC: RSET\nS: 250 ok",
        iter([b"ab\ncd\nef"]),
    )
    assert isinstance(receipt.error, MessageRefused)
    assert receipt.refused == ("x@y.example",)
    assert session.resting


def test_a_source_that_breaks_is_reset_and_the_session_goes_on() -> None:
    def broken() -> Iterator[bytes]:
        yield b"ab\ncd\nef\n"
        raise ValueError("mine")

    session = resting_session("PIPELINING,CHUNKING")
    player = Player(
        MAIL + "C: BDAT 4\nC: ab\nC: BDAT 4\nC: cd\nS: 250 ok\nS: 250 ok\nC: RSET\nS: 250 ok"
    )
    transaction = Transaction(Envelope("a@b.example", ["x@y.example"]), Content(broken()))
    with pytest.raises(ValueError, match="mine"):
        player.play(deliver(session, transaction, careful=True))
    assert session.resting


def test_a_connection_lost_between_chunks_is_not_sent() -> None:
    receipt, _ = play("C: BDAT 4\nC: ab\nX", iter([b"ab\ncd\n"]))
    assert [result.outcome for result in receipt.results] == [Outcome.NOT_SENT]


def test_a_connection_lost_after_the_last_chunk_is_unknown() -> None:
    receipt, _ = play("C: BDAT 4 LAST\nC: ab\nX", iter([b"ab\n"]))
    assert [result.outcome for result in receipt.results] == [Outcome.UNKNOWN]


def test_354_to_a_chunk_is_a_protocol_error() -> None:
    receipt, _ = play("C: BDAT 4\nC: ab\nS: 354 go", iter([b"ab\ncd\n"]))
    assert isinstance(receipt.error, ProtocolError)
    assert [result.outcome for result in receipt.results] == [Outcome.NOT_SENT]


class Binary(Content):
    """Content that goes as it is, whose progress alone is told by chunks."""

    __slots__ = ()

    @property
    def binary(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("source", "percents"), [(b"ab\r\ncd\r\n", [50, 100]), (iter([b"ab\r\ncd\r\n"]), [-1, -1])]
)
def test_progress_is_told_in_hundredths_where_the_size_is_known(
    source: Source, percents: list[int]
) -> None:
    session = resting_session("PIPELINING,CHUNKING,BINARYMIME")
    session.heard = frozenset({Transfer})
    player = Player(
        "C: MAIL FROM:<a@b.example> BODY=BINARYMIME\nC: RCPT TO:<x@y.example>\nS: 250 a\nS: 250 b\n"
        "C: BDAT 4\nC: ab\nS: 250 ok\nC: BDAT 4 LAST\nC: cd\nS: 250 taken"
    )
    transaction = Transaction(Envelope("a@b.example", ["x@y.example"]), Binary(source))
    player.play(deliver(session, transaction))
    player.finish()
    steps = [event for event in player.events if isinstance(event, Transfer)]
    assert [step.percent_done for step in steps] == percents
