"""One command and its reply: what is told of the place where it failed."""

from __future__ import annotations

import pytest

from smtps.dialogue.exchange import check_quiet, exchange, write
from smtps.errors import Interrupted, ProtocolError, SessionError, TimedOut
from smtps.events import Direction, PITrail
from smtps.ops import Write
from smtps.phase import Phase
from tests.support.player import Player, resting_session


@pytest.mark.parametrize("error", [TimedOut(3.0), Interrupted()])
def test_a_write_that_fails_is_told_with_the_phase_of_its_first_command(
    error: SessionError,
) -> None:
    dialogue = write(resting_session(), b"MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", Phase.MAIL, Phase.RCPT)
    assert isinstance(next(dialogue), Write)
    with pytest.raises(type(error)) as caught:
        dialogue.throw(error)
    assert caught.value is error
    assert error.phase is Phase.MAIL


def test_each_line_of_a_reply_is_told_by_itself() -> None:
    session = resting_session()
    session.heard = frozenset({PITrail})
    player = Player("C: NOOP\nS: 250-one\nS: 250 two")
    player.play(exchange(session, b"NOOP\r\n", Phase.COMMAND))
    assert player.events == [
        PITrail(Direction.CLIENT, "NOOP"),
        PITrail(Direction.SERVER, "250-one"),
        PITrail(Direction.SERVER, "250 two"),
    ]


def test_half_a_reply_that_nothing_asked_for_is_found_before_the_next_command() -> None:
    session = resting_session()
    session.receive(b"250 mo")
    with pytest.raises(ProtocolError, match="sent bytes that nothing asked for") as caught:
        Player("").play(check_quiet(session, Phase.MAIL))
    assert caught.value.phase is Phase.MAIL
