"""Which recipients go together, where a server takes few for one message or one connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from smtps.dialogue.portions import deliver_to_all
from smtps.dialogue.transaction import Transaction
from smtps.envelope import Envelope
from smtps.errors import ConnectionFailed, SMTPSError
from smtps.ops import Connect
from smtps.receipt import Outcome, Receipt
from smtps.session import Session
from smtps.wire.content import Content
from tests.support.player import Player, resting_session

PEOPLE = ["a@y.example", "b@y.example", "c@z.example"]


class Gone(Player):
    """A server that no second connection reaches."""

    def _perform(self, op: Any) -> Any:
        if isinstance(op, Connect):
            raise ConnectionFailed("the server refused the connection")
        return super()._perform(op)


def mail(*people: str) -> str:
    """Write the transaction in which all of these are taken."""
    rcpts = "".join(f"C: RCPT TO:<{person}>\n" for person in people)
    replies = "S: 250 ok\n" * (1 + len(people))
    content = "S: 354 go\nC: Subject: x\nC: .\nS: 250 taken\n"
    return f"C: MAIL FROM:<s@b.example>\n{rcpts}{replies}C: DATA\n{content}"


def play(player: Player, limits: str, required: Sequence[int] = ()) -> tuple[Receipt, Session]:
    session = resting_session(f"PIPELINING,LIMITS {limits}")
    envelope = Envelope("s@b.example", PEOPLE)
    transaction = Transaction(envelope, Content(b"Subject: x\r\n"), required=required)
    receipt = player.play(deliver_to_all(session, transaction, careful=True))
    player.finish()
    return receipt, session


def test_no_more_go_together_than_the_server_takes() -> None:
    receipt, _ = play(Player(mail(*PEOPLE[:2]) + mail(PEOPLE[2])), "RCPTMAX=2")
    assert receipt.ok


@pytest.mark.parametrize("required", [[0, 1], [1]])
def test_those_who_are_required_and_fit_go_together(required: list[int]) -> None:
    receipt, _ = play(Player(mail(*PEOPLE[:2]) + mail(PEOPLE[2])), "RCPTMAX=2", required)
    assert receipt.ok


def test_a_message_is_not_parted_before_the_last_who_is_required() -> None:
    receipt, _ = play(Player(mail(*PEOPLE)), "RCPTMAX=2", [2])
    assert receipt.ok


def test_those_who_are_required_go_together_whatever_their_domains() -> None:
    receipt, _ = play(Player(mail(*PEOPLE)), "RCPTDOMAINMAX=1", [0, 2])
    assert receipt.ok


def test_a_connection_for_the_others_that_is_not_made_leaves_them_unsent() -> None:
    player = Gone(f"{mail(*PEOPLE[:2])}C: QUIT\nS: 221 bye\n")
    receipt, session = play(player, "RCPTDOMAINMAX=1")
    assert [result.outcome for result in receipt.results] == [
        *[Outcome.ACCEPTED] * 2,
        Outcome.NOT_SENT,
    ]
    assert isinstance(receipt.error, ConnectionFailed)
    assert player.closed
    assert not session.connected


def test_a_connection_that_the_first_of_them_need_and_is_not_made_is_the_error() -> None:
    session = resting_session("LIMITS RCPTDOMAINMAX=1")
    session.domains = {"other.example"}
    transaction = Transaction(Envelope("s@b.example", PEOPLE), Content(b"Subject: x\r\n"))
    player = Gone("C: QUIT\nS: 221 bye\n")
    with pytest.raises(SMTPSError) as caught:
        player.play(deliver_to_all(session, transaction))
    assert isinstance(caught.value, ConnectionFailed)
    assert session.ended_by is caught.value
