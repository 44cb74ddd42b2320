"""The window: what is written for many messages, and what is made of the replies."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import pytest

from smtps.envelope import Envelope
from smtps.errors import (
    MessageRefused,
    NotOffered,
    RecipientsRefused,
    SenderRefused,
    TooLarge,
)
from smtps.letter import Letter
from smtps.receipt import Outcome
from tests.support.windows import CONTENT, OK3, RSET, Peer, failed, outcomes

# --- what is written ------------------------------------------------------------------------------


def test_whole_transactions_are_written_back_to_back_with_rset_behind_each(peer: Peer) -> None:
    assert peer.add("a", "b") == 2
    assert peer.sent() == (
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<r0@y.example>\r\nBDAT 17 LAST\r\n" + CONTENT
        + b"RSET\r\n"
        + b"MAIL FROM:<b@b.example>\r\nRCPT TO:<r0@y.example>\r\nBDAT 17 LAST\r\n" + CONTENT
        + b"RSET\r\n"
    )  # fmt: skip


@pytest.mark.parametrize("replies", [OK3, OK3 + RSET, b"250 ok\r\n550 no\r\n503 nobody\r\n"])
def test_what_stands_behind_the_last_needs_no_other_rset(peer: Peer, replies: bytes) -> None:
    peer.add("a")
    peer.hear_only(replies)
    peer.add("b")
    assert peer.sent().startswith(b"MAIL FROM:<b@b.example>")


def test_once_the_last_rset_is_answered_nothing_is_open(peer: Peer) -> None:
    peer.add("a")
    assert not peer.window.is_clean
    peer.hear(b"250 ok\r\n550 no\r\n503 nobody\r\n")
    assert peer.window.is_clean
    assert peer.window.awaits == 0


def test_what_was_taken_is_told_when_the_rset_behind_it_is_answered(peer: Peer) -> None:
    peer.add("a")
    assert peer.hear_only(OK3) == []
    assert outcomes(peer.hear_only(RSET)) == [(0, {"ACCEPTED"})]


def test_421_to_the_last_rset_takes_nothing_back(peer: Peer) -> None:
    peer.add("a")
    assert outcomes(peer.hear_only(OK3 + b"421 enough\r\n")) == [(0, {"ACCEPTED"})]
    assert peer.window.closing
    assert peer.window.awaits == 0


def test_size_and_body_are_told_where_they_are_offered(codec: SimpleNamespace) -> None:
    peer = Peer(codec, announces_size=True, takes_eight_bits=True)
    peer.window.add_letter(Letter(0, Envelope("a@b.example", ["x@y.example"]), b"\xc3\xa4\n"))
    assert peer.sent() == (
        b"MAIL FROM:<a@b.example> SIZE=4 BODY=8BITMIME\r\nRCPT TO:<x@y.example>\r\n"
        b"BDAT 4 LAST\r\n\xc3\xa4\r\nRSET\r\n"
    )


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (b"", b""),
        (b"a", b"a\r\n"),
        (b"a\nb\rc\r\n", b"a\r\nb\r\nc\r\n"),
        (b"a\r", b"a\r\n"),
        (b".\n..\n", b".\r\n..\r\n"),
        (b"\n", b"\r\n"),
    ],
)
def test_chunks_hold_crlf_newlines_and_an_ended_last_line(
    peer: Peer, given: bytes, written: bytes
) -> None:
    peer.window.add_letter(Letter(0, Envelope("", ["x@y.example"]), given))
    assert peer.sent() == (
        b"MAIL FROM:<>\r\nRCPT TO:<x@y.example>\r\nBDAT %d LAST\r\n" % len(written) + written
        + b"RSET\r\n"
    )  # fmt: skip


def test_what_is_more_than_addresses_is_prepared(peer: Peer) -> None:
    peer.window.add_letter(Letter(0, Envelope("a@b.example", ["x@y.example"], ret="HDRS"), b"\xe4"))
    assert peer.sent() == (
        b"MAIL FROM:<a@b.example> SIZE=3 X=1\r\nRCPT TO:<special>\r\n"
        b"BDAT 3 LAST\r\n\xe4\r\nRSET\r\n"
    )


def test_what_a_server_cannot_carry_fails_before_a_byte_is_written(codec: SimpleNamespace) -> None:
    peer = Peer(codec, size_limit=16)
    assert peer.add("a") == 1
    peer.window.add_letter(
        Letter(1, Envelope("a@b.example", ["x@y.example"], requiretls=True), b"", "<id>")
    )
    receipts = peer.window.take()
    assert outcomes(receipts) == [(0, {"NOT_SENT"}), (1, {"NOT_SENT"})]
    assert isinstance(receipts[0].error, TooLarge)
    assert (receipts[0].error.size, receipts[0].error.limit) == (17, 16)
    assert isinstance(receipts[1].error, NotOffered)
    assert receipts[1].message_id == "<id>"
    assert peer.sent() == b""
    assert peer.window.in_flight == 0


def test_adding_stops_at_what_is_no_envelope_with_bytes(peer: Peer) -> None:
    good = (Envelope("a@b.example", ["x@y.example"]), b"x")
    for odd in (
        "text",
        None,
        (good[0], "text"),
        (good[0], bytearray(b"x")),
        (good[0], b"x", 1),
        ["a", "b"],
        ("a@b.example", b"x"),
        (good[0], b"x" * ((1 << 20) + 1)),
    ):
        assert peer.window.add([good, odd, good], 0, 0, 100) == 1
        assert peer.window.add([good, odd, good], 1, 0, 100) == 0


def test_an_envelope_whose_constructor_was_not_called_is_not_written(peer: Peer) -> None:
    with suppress(AttributeError):
        assert peer.window.add([(Envelope.__new__(Envelope), CONTENT)], 0, 0, 100) == 0
    assert peer.sent() == b""


def test_items_are_numbered_from_the_index_that_is_given(peer: Peer) -> None:
    good = (Envelope("a@b.example", ["x@y.example"]), b"x")
    assert peer.window.add([good, good, good], 1, 7, 100) == 2
    receipts = peer.hear(OK3 + RSET + OK3)
    assert [receipt.index for receipt in receipts] == [7, 8]


# --- bounds ---------------------------------------------------------------------------------------


def test_no_more_messages_are_in_flight_than_were_allowed(peer: Peer) -> None:
    assert peer.add(*"abcdef", most=4) == 4
    assert not peer.window.has_room(4)
    peer.hear(OK3)
    assert peer.add(*"abcdef", most=4) == 1


def test_no_more_replies_are_awaited_than_a_bound(peer: Peer) -> None:
    added = 0
    while peer.add("a", most=1 << 20, rcpts=100):
        peer.sent()
        added += 1
    assert added == pytest.approx((1 << 14) / 103, abs=2)
    assert peer.window.awaits < (1 << 14) + 103


def test_no_more_bytes_are_in_flight_than_a_bound(peer: Peer) -> None:
    item = (Envelope("a@b.example", ["x@y.example"]), b"x" * (1 << 20))
    for _ in range(8):
        assert peer.window.add([item], 0, 0, 100) == 1
        peer.sent()
    assert peer.window.add([item], 0, 0, 100) == 0
    assert peer.window.bytes_in_flight == pytest.approx(8 << 20, rel=0.01)


def test_one_write_holds_no_more_than_a_batch_and_a_message(peer: Peer) -> None:
    item = (Envelope("a@b.example", ["x@y.example"]), b"x" * (1 << 16))
    assert peer.window.add([item] * 10, 0, 0, 100) == 4
    assert peer.window.pending == pytest.approx(1 << 18, rel=0.01)


# --- replies as expected --------------------------------------------------------------------------


def test_each_message_gets_its_own_final_reply(peer: Peer) -> None:
    peer.add("a", "b")
    receipts = peer.hear(OK3.replace(b"taken", b"id 1") + RSET + OK3.replace(b"taken", b"id 2"))
    assert [(r.index, r.sender, r.ok, str(r.reply)) for r in receipts] == [
        (0, "a@b.example", True, "250 2.0.0 id 1"),
        (1, "b@b.example", True, "250 2.0.0 id 2"),
    ]
    assert receipts[1].results[0].reply is receipts[1].reply
    assert receipts[1].accepted == ("r0@y.example",)
    assert peer.window.in_flight == peer.window.awaits == peer.window.bytes_in_flight == 0


def test_replies_that_are_split_at_every_byte_give_the_same_receipts(peer: Peer) -> None:
    peer.add("a", "b")
    receipts = []
    for byte in OK3 + RSET + b"250 ok\r\n250-ok\r\n250 ok\r\n250 taken\r\n":
        receipts += peer.hear(bytes([byte]))
    assert outcomes(receipts) == [(0, {"ACCEPTED"}), (1, {"ACCEPTED"})]
    assert peer.window.failure is None


def test_a_receipt_waits_for_the_reply_to_the_rset_behind_it(peer: Peer) -> None:
    peer.add("a", "b")
    assert peer.hear(OK3) == []
    assert outcomes(peer.hear(RSET)) == [(0, {"ACCEPTED"})]


def test_a_receipt_does_not_wait_for_a_message_that_was_not_begun(peer: Peer) -> None:
    peer.add("a")
    assert outcomes(peer.hear(OK3)) == [(0, {"ACCEPTED"})]


# --- refusals -------------------------------------------------------------------------------------


def test_a_refused_sender_fails_that_message_alone(peer: Peer) -> None:
    peer.add("a", "b")
    receipts = peer.hear(b"550 5.1.8 no\r\n503 no\r\n503 no\r\n" + RSET + OK3)
    assert outcomes(receipts) == [(0, {"NOT_SENT"}), (1, {"ACCEPTED"})]
    assert isinstance(receipts[0].error, SenderRefused)
    assert receipts[0].error.sender == "a@b.example"
    assert receipts[0].error.reply.enhanced == "5.1.8"
    assert peer.window.setbacks == 1


def test_a_refused_recipient_keeps_its_own_reply(peer: Peer) -> None:
    peer.add("a", rcpts=3)
    (receipt,) = peer.hear(b"250 ok\r\n251 ok\r\n550 no\r\n450 later\r\n250 taken\r\n")
    assert [result.outcome for result in receipt.results] == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.DEFERRED,
    ]
    assert [str(result.reply) for result in receipt.results] == [
        "250 taken",
        "550 no",
        "450 later",
    ]
    assert receipt.error is None
    assert peer.window.setbacks == 0


@pytest.mark.parametrize("refusal", ["452 4.5.3 too many", "452 too many", "552 5.5.3 too many"])
def test_for_whom_there_were_too_many_before_it_goes_again(peer: Peer, refusal: str) -> None:
    peer.add("a", "b", rcpts=3)
    no = refusal.encode() + b"\r\n"
    receipts = peer.hear(b"250 ok\r\n550 no\r\n250 ok\r\n" + no + b"250 taken\r\n" + RSET)
    assert receipts == []
    assert peer.window.remainders == []
    peer.hear(OK3.replace(b"250 2.0.0 taken\r\n", b"250 ok\r\n250 ok\r\n250 taken\r\n"))
    (remainder,) = peer.window.remainders
    assert (remainder.letter.number, remainder.places) == (0, (2,))
    assert remainder.letter.content == CONTENT
    assert [str(result.reply) for result in remainder.receipt.results] == [
        "550 no",
        "250 taken",
        refusal,
    ]


def test_nothing_goes_again_where_nobody_was_accepted(peer: Peer) -> None:
    peer.add("a", rcpts=2)
    no = b"452 4.5.3 too many\r\n"
    (receipt,) = peer.hear(b"250 ok\r\n" + no + no + b"503 nobody\r\n")
    assert receipt.deferred == ("r0@y.example", "r1@y.example")
    assert peer.window.remainders == []


def test_nothing_goes_again_where_the_content_was_refused(peer: Peer) -> None:
    peer.add("a", rcpts=2)
    (receipt,) = peer.hear(b"250 ok\r\n250 ok\r\n452 4.5.3 too many\r\n554 spam\r\n")
    assert receipt.refused == ("r0@y.example",)
    assert peer.window.remainders == []


def test_all_recipients_refused_fail_that_message_alone(peer: Peer) -> None:
    peer.add("a", "b", rcpts=2)
    receipts = peer.hear(
        b"250 ok\r\n550 no\r\n450 no\r\n503 nobody\r\n" + RSET + b"250 ok\r\n" + OK3
    )
    assert outcomes(receipts) == [(0, {"REFUSED", "DEFERRED"}), (1, {"ACCEPTED"})]
    assert isinstance(receipts[0].error, RecipientsRefused)
    assert list(receipts[0].error.refused) == ["r0@y.example", "r1@y.example"]
    assert peer.window.setbacks == 1


@pytest.mark.parametrize(("code", "outcome"), [(554, "REFUSED"), (452, "DEFERRED")])
def test_a_refused_message_is_refused_for_all(peer: Peer, code: int, outcome: str) -> None:
    peer.add("a", "b")
    refused = b"250 ok\r\n250 ok\r\n%d spam\r\n" % code
    receipts = peer.hear(refused + RSET + OK3)
    assert outcomes(receipts) == [(0, {outcome}), (1, {"ACCEPTED"})]
    assert isinstance(receipts[0].error, MessageRefused)
    assert receipts[0].reply is not None
    assert receipts[0].reply.text == "spam"


# --- DATA -----------------------------------------------------------------------------------------


def test_content_goes_out_with_the_commands_of_the_next_message_behind_it(data: Peer) -> None:
    assert data.add("a", "b") == 1
    commands = b"MAIL FROM:<%c@b.example>\r\nRCPT TO:<r0@y.example>\r\nDATA\r\n"
    assert data.sent() == commands % b"a"
    assert data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n") == []
    assert data.add("b", "c") == 1
    assert data.sent() == CONTENT + b".\r\nRSET\r\n" + commands % b"b"
    assert outcomes(data.hear(b"250 taken\r\n" + RSET + b"250 ok\r\n250 ok\r\n354 go\r\n")) == [
        (0, {"ACCEPTED"})
    ]
    assert data.sent() == CONTENT + b".\r\nRSET\r\n"
    assert outcomes(data.hear(b"250 taken\r\n")) == [(1, {"ACCEPTED"})]


def test_dots_are_doubled_for_data(data: Peer) -> None:
    data.window.add_letter(Letter(0, Envelope("a@b.example", ["x@y.example"]), b".\n..b\nc"))
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert data.sent() == b"..\r\n...b\r\nc\r\n.\r\nRSET\r\n"


def test_nobody_accepted_and_354_all_the_same_is_ended_with_a_lone_dot(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n550 no\r\n354 go\r\n")
    assert data.sent() == b".\r\nRSET\r\n"
    receipts = data.hear(b"250 taken, whatever it was\r\n")
    assert outcomes(receipts) == [(0, {"REFUSED"})]
    assert isinstance(receipts[0].error, RecipientsRefused)
    data.add("b")
    assert data.sent().startswith(b"MAIL FROM:<b@")


def test_a_refused_data_is_followed_by_rset(data: Peer) -> None:
    data.add("a")
    (receipt,) = data.hear(b"250 ok\r\n250 ok\r\n451 later\r\n")
    assert isinstance(receipt.error, MessageRefused)
    assert receipt.deferred == ("r0@y.example",)
    data.add("b")
    assert data.sent().startswith(b"RSET\r\nMAIL FROM:<b@")


def test_a_reply_glued_to_354_is_found_before_the_content_is_written(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n250 early\r\n")
    failed(data)
    assert data.sent() == b""
    assert data.lose() == ([0], [])


def test_an_early_reply_to_the_content_is_found_by_the_next_one(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    data.add("b")
    assert data.hear(b"250 early\r\n554 spam\r\n") == []
    assert outcomes(data.lose()[1])[0] == (0, {"UNKNOWN"})


def test_250_to_data_is_out_of_step(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n250 ok\r\n")
    assert "expected 354" in str(failed(data))


def test_421_before_the_content_sends_it_again(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n421 bye\r\n")
    assert data.sent() == b""
    assert data.lose() == ([0], [])


def test_a_lost_connection_before_the_content_sends_it_again(data: Peer) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    data.add("b")
    content = len(CONTENT) + 3
    assert data.lose(sent=content - 1) == ([0, 1], [])


def test_a_lost_connection_after_the_content_is_unknown_and_the_next_goes_again(
    data: Peer,
) -> None:
    data.add("a")
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    data.add("b")
    data.sent()
    again, receipts = data.lose()
    assert again == [1]
    assert outcomes(receipts) == [(0, {"UNKNOWN"})]


def test_a_window_of_one_waits_for_the_final_reply(data: Peer) -> None:
    data.add("a", most=1)
    data.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert data.add("b", most=1) == 0
    data.hear(b"250 taken\r\n")
    assert data.add("b", most=1) == 1


def test_a_message_with_a_nul_is_not_sent_and_the_rest_goes_on(peer: Peer) -> None:
    content = b"Subject: x\r\n\r\n.\0\r\nMAIL FROM:<evil@x.example>\r\n"
    envelope = Envelope("a@b.example", ["x@y.example"])
    assert peer.window.add([(envelope, content), (envelope, b"Subject: y\r\n")], 0, 0, 9) == 2
    (receipt,) = peer.window.take()
    assert receipt.index == 0
    assert "a NUL at byte 15" in str(receipt.error)
    assert b"\0" not in peer.sent()
    assert peer.window.in_flight == 1


@pytest.mark.parametrize("code", [250, 251, 252])
def test_a_recipient_is_accepted_by_250_251_or_252(peer: Peer, code: int) -> None:
    peer.add("a")
    (receipt,) = peer.hear(b"250 ok\r\n%d ok\r\n250 taken\r\n" % code)
    assert receipt.ok


@pytest.mark.parametrize("code", [200, 249, 253, 299])
def test_no_other_code_accepts_a_recipient(peer: Peer, code: int) -> None:
    peer.add("a")
    peer.hear(b"250 ok\r\n%d ok\r\n250 taken\r\n" % code)
    assert peer.window.failure is not None


def test_a_message_that_is_taken_for_nobody_is_named_as_such(peer: Peer) -> None:
    peer.add("a")
    peer.hear(b"250 ok\r\n550 no\r\n250 taken\r\n")
    assert "a message for nobody was taken: 250 taken" in str(peer.window.failure)
