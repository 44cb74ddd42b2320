"""The window where a server falls out of step, or the connection ends."""

from __future__ import annotations

import pytest

from smtps.errors import (
    DeliveryUnknown,
    ProtocolError,
    SenderRefused,
    ServiceClosing,
)
from tests.support.windows import LOST, OK3, RSET, Peer, failed, outcomes

# --- out of step ----------------------------------------------------------------------------------


def test_503_to_mail_behind_an_accepted_rset_is_out_of_step(peer: Peer) -> None:
    peer.add("a", "b", "c")
    receipts = peer.hear(OK3 + RSET + b"503 5.5.1 sender already given\r\n" + OK3)
    assert outcomes(receipts) == [(0, {"ACCEPTED"})]
    assert "MAIL came at the wrong time" in str(failed(peer))
    assert outcomes(peer.lose()[1]) == [(1, {"UNKNOWN"}), (2, {"UNKNOWN"})]


def test_503_to_the_first_mail_is_a_refusal(peer: Peer) -> None:
    peer.add("a")
    receipts = peer.hear(b"503 no\r\n503 no\r\n503 no\r\n")
    assert isinstance(receipts[0].error, SenderRefused)
    assert peer.window.failure is None


def test_a_refused_rset_is_out_of_step_and_nothing_behind_it_is_known(peer: Peer) -> None:
    peer.add("a", "b")
    peer.hear(b"250 ok\r\n550 no\r\n503 nobody\r\n502 no RSET here\r\n" + OK3)
    assert "RSET was not accepted" in str(failed(peer))
    assert outcomes(peer.lose()[1]) == [(1, {"UNKNOWN"})]


def test_an_early_250_that_554_follows_is_never_success(peer: Peer) -> None:
    peer.add("a", "b")
    assert peer.hear(b"250 ok\r\n250 ok\r\n250 early\r\n554 spam\r\n" + RSET + OK3) == []
    assert "RSET was not accepted: 554 spam" in str(failed(peer))
    again, receipts = peer.lose()
    assert again == []
    assert outcomes(receipts) == [(0, {"UNKNOWN"}), (1, {"UNKNOWN"})]


def test_one_reply_too_many_makes_the_last_message_unknown(peer: Peer) -> None:
    peer.add("a")
    assert peer.hear(OK3 + b"554 spam\r\n") == []
    assert "RSET was not accepted" in str(failed(peer))
    assert outcomes(peer.lose()[1]) == [(0, {"UNKNOWN"})]


@pytest.mark.parametrize(
    "replies",
    [
        b"354 go\r\n",
        b"220 hello\r\n",
        b"250 ok\r\n354 go\r\n",
        b"250 ok\r\n220 hello\r\n",
        b"250 ok\r\n250 ok\r\n354 go\r\n",
        b"250 ok\r\n250 ok\r\n251 will forward\r\n",
        b"550 no\r\n250 ok\r\n",
        b"250 ok\r\n550 no\r\n250 taken\r\n",
        b"250 ok\r\n?\r\n",
        b"250-ok\r\n550 no\r\n",
    ],
)
def test_a_reply_that_does_not_fit_ends_the_window(peer: Peer, replies: bytes) -> None:
    peer.add("a", "b")
    assert peer.hear(replies) == []
    failed(peer)
    again, receipts = peer.lose()
    assert again == []
    assert all(names == {"UNKNOWN"} for _, names in outcomes(receipts)[-1:])


def test_what_was_not_written_when_the_server_fell_out_of_step_goes_again(peer: Peer) -> None:
    peer.add("a")
    peer.hear(b"354 go\r\n")
    peer.add("b")
    assert peer.lose(sent=20)[0] == [1]


def test_who_of_several_was_refused_is_told_once_it_is_sure(peer: Peer) -> None:
    peer.add("a", "b", rcpts=2)
    partly, spam = b"250 ok\r\n550 no\r\n250 ok\r\n250 taken\r\n", b"250 ok\r\n" * 3 + b"554 no\r\n"
    assert peer.hear_only(partly + RSET + spam + RSET) == []
    assert peer.window.doubtful == 2
    peer.window.confirm()
    told = outcomes(peer.window.take())
    assert told == [(0, {"REFUSED", "ACCEPTED"}), (1, {"REFUSED"})]
    assert peer.window.doubtful == 0


def test_who_of_several_was_refused_is_unknown_behind_a_reply_too_many(peer: Peer) -> None:
    peer.add("a", rcpts=2)
    assert peer.hear_only(b"250 ok\r\n550 no\r\n250 ok\r\n250 taken\r\n" + RSET) == []
    peer.window.abandon(0, ProtocolError("one too many"))
    assert outcomes(peer.window.take()) == [(0, {"UNKNOWN"})]


def test_who_of_several_was_refused_stays_so_when_the_connection_is_lost(peer: Peer) -> None:
    peer.add("a", rcpts=2)
    assert peer.hear_only(b"250 ok\r\n550 no\r\n250 ok\r\n250 taken\r\n" + RSET) == []
    assert outcomes(peer.lose()[1]) == [(0, {"REFUSED", "ACCEPTED"})]


# --- the end of a connection ----------------------------------------------------------------------


def test_a_final_reply_that_never_came_is_unknown(peer: Peer) -> None:
    peer.add("a", "b")
    peer.hear(OK3 + RSET + b"250 ok\r\n")
    again, receipts = peer.lose()
    assert again == []
    assert outcomes(receipts) == [(1, {"UNKNOWN"})]
    assert isinstance(receipts[0].error, DeliveryUnknown)
    assert receipts[0].error.__cause__ is LOST


def test_a_message_that_was_taken_is_taken_though_no_rset_was_answered(peer: Peer) -> None:
    peer.add("a", "b")
    assert peer.hear(OK3) == []
    assert outcomes(peer.lose()[1]) == [(0, {"ACCEPTED"}), (1, {"UNKNOWN"})]


def test_a_message_whose_end_was_not_written_goes_again(peer: Peer) -> None:
    peer.add("a", "b", "c")
    whole = len(bytes(peer.window.outgoing()))
    again, receipts = peer.lose(sent=whole - len(b"RSET\r\n") - 1)
    assert again == [2]
    assert outcomes(receipts) == [(0, {"UNKNOWN"}), (1, {"UNKNOWN"})]


def test_a_message_that_was_refused_before_the_connection_broke_is_refused(peer: Peer) -> None:
    peer.add("a", "b", rcpts=2)
    peer.hear(b"250 ok\r\n550 no\r\n550 no\r\n")
    again, receipts = peer.lose()
    assert again == []
    assert outcomes(receipts) == [(0, {"REFUSED"}), (1, {"UNKNOWN"})]


@pytest.mark.parametrize(
    "replies",
    [b"421 bye\r\n", b"250 ok\r\n421 bye\r\n", b"421 bye\r\n503 no\r\n", b"421 a\r\n421 b\r\n"],
)
def test_behind_a_421_nothing_was_taken(peer: Peer, replies: bytes) -> None:
    peer.add("a", "b")
    assert peer.hear(replies) == []
    assert peer.window.closing
    assert peer.lose() == ([0, 1], [])


def test_421_to_rset_leaves_the_message_before_it_taken(peer: Peer) -> None:
    peer.add("a", "b")
    assert outcomes(peer.hear(OK3 + b"421 bye\r\n")) == [(0, {"ACCEPTED"})]
    assert peer.lose() == ([1], [])


def test_421_to_every_command_sends_all_again(peer: Peer) -> None:
    peer.add("a", "b")
    assert peer.hear(b"421 bye\r\n" * 7) == []
    assert peer.window.in_flight == 0
    assert peer.window.answered == 0
    assert peer.lose() == ([0, 1], [])


def test_421_to_the_content_is_an_answer(peer: Peer) -> None:
    peer.add("a", "b")
    receipts = peer.hear(b"250 ok\r\n250 ok\r\n421 later\r\n")
    assert outcomes(receipts) == [(0, {"DEFERRED"})]
    assert isinstance(receipts[0].error, ServiceClosing)
    assert peer.lose() == ([1], [])


def test_a_421_that_the_server_does_not_keep_to_proves_nothing(peer: Peer) -> None:
    peer.add("a", "b", rcpts=2)
    peer.hear(b"250 ok\r\n421 bye\r\n250 ok\r\n")
    assert outcomes(peer.lose()[1]) == [(0, {"UNKNOWN", "DEFERRED"}), (1, {"UNKNOWN"})]


def test_a_farewell_when_all_is_answered_is_no_failure(peer: Peer) -> None:
    peer.add("a")
    assert outcomes(peer.hear(OK3 + b"421 idle too long\r\n")) == [(0, {"ACCEPTED"})]
    assert peer.window.closing
    assert peer.window.failure is None


def test_behind_a_554_with_an_orderly_end_nothing_was_taken(peer: Peer) -> None:
    peer.add("a", "b")
    peer.hear(b"250 ok\r\n250 ok\r\n554 too many errors\r\n")
    assert peer.lose(ended=True) == ([1], [])


def test_behind_a_554_and_a_reset_nothing_is_known(peer: Peer) -> None:
    peer.add("a", "b")
    peer.hear(b"250 ok\r\n250 ok\r\n554 spam\r\n")
    assert outcomes(peer.lose()[1]) == [(1, {"UNKNOWN"})]
