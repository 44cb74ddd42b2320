"""One command and its reply: what is told of the place where it failed."""

from __future__ import annotations

import pytest

from smtps.dialogue.exchange import write
from smtps.errors import Interrupted, SessionError, TimedOut
from smtps.ops import Write
from smtps.phase import Phase
from tests.support.player import resting_session


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
