"""Steps of a program's own against transcripts: what is written, and which reply comes when."""

from __future__ import annotations

import pytest

from smtps.dialogue.stepwise import hear, say
from smtps.errors import ConnectionLost, ProtocolError
from smtps.phase import Phase
from smtps.session import Session
from tests.support.player import Player, resting_session


@pytest.fixture
def session() -> Session:
    return resting_session()


def test_a_command_has_one_reply(session: Session) -> None:
    player = Player("C: NOOP\nS: 250-one\nS: 250 two")
    player.play(say(session, b"NOOP\r\n"))
    assert player.play(hear(session)).lines == ("one", "two")
    player.finish()


def test_a_421_is_a_reply_as_any_other(session: Session) -> None:
    player = Player("C: NOOP\nS: 421 bye")
    player.play(say(session, b"NOOP\r\n"))
    assert player.play(hear(session)).code == 421
    assert session.over


def test_a_second_reply_to_one_command_is_an_error(session: Session) -> None:
    player = Player("C: NOOP\nS: 250 one\nS: 250 two")
    player.play(say(session, b"NOOP\r\n"))
    with pytest.raises(ProtocolError, match="unasked"):
        player.play(hear(session))


@pytest.mark.parametrize("split", [False, True])
def test_of_more_lines_the_program_knows_the_replies(session: Session, split: bool) -> None:
    player = Player("C: NOOP\nC: RSET\nS: 250 one\nS: 251 two", split=split)
    player.play(say(session, b"NOOP\r\nRSET\r\n"))
    assert [player.play(hear(session)).code for _ in range(2)] == [250, 251]
    assert not session.free
    player.finish()


def test_behind_those_replies_one_command_has_one_again(session: Session) -> None:
    player = Player("C: NOOP\nC: RSET\nS: 250 one\nS: 251 two\nC: NOOP\nS: 250 a\nS: 250 b")
    player.play(say(session, b"NOOP\r\nRSET\r\n"))
    for _ in range(2):
        player.play(hear(session))
    player.play(say(session, b"NOOP\r\n"))
    with pytest.raises(ProtocolError, match="unasked"):
        player.play(hear(session))


def test_a_reply_to_what_was_not_written_here_is_heard(session: Session) -> None:
    player = Player("S: 250 done")
    assert player.play(hear(session)).text == "done"


@pytest.mark.parametrize("data", [b"NOOP\r\n", b"one\r\ntwo\r\n"])
def test_what_cannot_be_written_says_what_the_server_said(session: Session, data: bytes) -> None:
    player = Player("W!\nS: 421 bye\nX")
    with pytest.raises(ConnectionLost):
        player.play(say(session, data))


def test_what_the_server_said_before_it_closed_explains_lines_that_could_not_be_sent(
    session: Session,
) -> None:
    session.expect(Phase.COMMAND)
    player = Player("W!\nS: 421 4.3.2 closing\n--\nX")
    with pytest.raises(ConnectionLost) as caught:
        player.play(say(session, b"A\r\nB\r\n"))
    assert caught.value.phase is Phase.COMMAND
    assert caught.value.reply is not None
    assert caught.value.reply.code == 421
