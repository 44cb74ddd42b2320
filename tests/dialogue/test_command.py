"""Commands of the program's own, and a look at what has arrived, against transcripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smtps.dialogue.command import PAUSE, command, expand, heed, listen, verify
from smtps.errors import (
    BadValue,
    CommandRefused,
    ConnectionLost,
    ServiceClosing,
    SMTPSError,
    TimedOut,
)
from smtps.events import ConnectionStatus, Expand
from smtps.ops import Close, Dialogue, Emit, Poll, Read, Sleep
from smtps.session import Session
from tests.support.player import GREETING, Player, resting_session


def play(session: Session, transcript: str, dialogue: Dialogue[object]) -> Player:
    player = Player(transcript)
    player.play(dialogue)
    player.finish()
    return player


def watched_session() -> Session:
    """Give one whose end is told with the reason."""
    session = resting_session()
    session.heard = frozenset({ConnectionStatus})
    return session


def why_it_closed(error: SMTPSError) -> ConnectionStatus:
    return ConnectionStatus("Remote Disconnect", error.code, str(error))


def ops_of(dialogue: Dialogue[None], *results: object) -> list[object]:
    """Carry out what is yielded with the results given, and give the operations."""
    ops: list[object] = []
    try:
        op: object = next(dialogue)
        for result in [*results, *[None] * 9]:
            ops.append(op)
            op = dialogue.throw(result) if isinstance(result, Exception) else dialogue.send(result)
    except StopIteration:
        return ops
    raise AssertionError("it does not end")


# --- a command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("starttls", "STARTTLS cannot be sent by itself; set ssl_start_mode instead"),
        ("DATA", "DATA cannot be sent by itself; content is sent by send()"),
        ("BDAT 3 LAST", "BDAT cannot be sent by itself; content is sent by send()"),
        ("Auth PLAIN AGEAYg==", "AUTH cannot be sent by itself; set user and password instead"),
        ("", "empty; write a command such as NOOP"),
        (" NOOP", "empty; write a command such as NOOP"),
    ],
)
def test_a_command_with_a_way_of_its_own_is_refused_with_that_way(line: str, instead: str) -> None:
    session = resting_session()
    with pytest.raises(BadValue) as caught:
        next(command(session, line))
    assert str(caught.value) == f"command: {instead}"
    assert session.resting


@pytest.mark.parametrize(
    "verb", ["MAIL FROM:<a@b.example>", "rcpt TO:<x>", "SEND FROM:<a>", "SOML FROM:<a>", "Saml a"]
)
def test_what_can_open_a_transaction_is_remembered(verb: str) -> None:
    session = resting_session()
    play(session, f"C: {verb}\nS: 250 fine", command(session, verb))
    assert session.touched
    play(session, "C: NOOP\nS: 250 fine", command(session, "NOOP"))
    assert session.touched
    assert session.resting


@pytest.mark.parametrize("verb", ["RSET", "ehlo me.example", "HELO me.example"])
def test_what_ends_a_transaction_is_remembered_unless_it_was_refused(verb: str) -> None:
    session = resting_session()
    play(session, "C: MAIL FROM:<a>\nS: 250 fine", command(session, "MAIL FROM:<a>"))
    with pytest.raises(CommandRefused):
        play(session, f"C: {verb}\nS: 501 no", command(session, verb))
    assert session.touched
    play(session, f"C: {verb}\nS: 250 fine", command(session, verb))
    assert not session.touched


def test_a_refused_mail_may_have_opened_a_transaction_all_the_same() -> None:
    session = resting_session()
    with pytest.raises(CommandRefused):
        play(session, "C: MAIL FROM:<a>\nS: 550 no", command(session, "MAIL FROM:<a>"))
    assert session.touched


def test_another_command_opens_nothing() -> None:
    session = resting_session()
    play(session, "C: NOOP\nS: 250 fine", command(session, "NOOP"))
    assert not session.touched


def test_a_refused_command_is_named_with_the_words_of_the_server() -> None:
    session = resting_session()
    with pytest.raises(CommandRefused, match=r"^FROB was refused: 502 5.5.1 what") as caught:
        play(session, "C: frob x\nS: 502 5.5.1 what?", command(session, "frob x"))
    assert caught.value.reply is not None
    assert (session.connected, session.resting) == (True, True)


def test_the_reply_to_a_command_is_given() -> None:
    session = resting_session()
    player = Player("C: HELP\nS: 214 read the RFC")
    assert player.play(command(session, "HELP")).lines == ("read the RFC",)


def test_a_quit_closes_without_another_one() -> None:
    session = resting_session()
    player = play(session, "C: quit\nS: 221 bye", command(session, "quit"))
    assert player.closed
    assert not session.connected


def test_a_quit_that_is_refused_leaves_the_session() -> None:
    session = resting_session()
    with pytest.raises(CommandRefused, match="QUIT"):
        play(session, "C: QUIT\nS: 500 stay", command(session, "QUIT"))
    assert (session.connected, session.resting) == (True, True)


def test_421_to_a_command_closes_the_session_without_quit() -> None:
    session = watched_session()
    player = Player("C: NOOP\nS: 421 4.3.2 closing")
    with pytest.raises(ServiceClosing) as caught:
        player.play(command(session, "NOOP"))
    player.finish()
    assert player.closed
    assert not session.connected
    assert player.events == [why_it_closed(caught.value)]


def test_a_connection_lost_at_a_command_is_closed() -> None:
    session = watched_session()
    player = Player("C: NOOP\nX")
    with pytest.raises(ConnectionLost) as caught:
        player.play(command(session, "NOOP"))
    assert player.closed
    assert player.events == [why_it_closed(caught.value)]


def test_a_session_whose_end_was_announced_behind_the_reply_does_not_rest() -> None:
    session = resting_session()
    play(session, "C: NOOP\nS: 250 fine\nS: 421 closing", command(session, "NOOP"))
    assert not session.resting


# --- VRFY and EXPN --------------------------------------------------------------------------------

LookUp = Callable[[Session, str], Dialogue[object]]


@pytest.mark.parametrize("look_up", [verify, expand])
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_look_up_of_nothing_is_refused_before_anything_is_opened(
    look_up: LookUp, blank: str
) -> None:
    session = resting_session()
    with pytest.raises(BadValue) as caught:
        next(look_up(session, blank))
    assert str(caught.value) == "email_address: empty; name a mailbox or a list"


def test_verify_over_a_session_that_is_up_leaves_it() -> None:
    session = resting_session()
    player = Player("C: VRFY ann\nS: 252 perhaps")
    assert player.play(verify(session, "ann")).code == 252
    player.finish()
    assert (session.connected, session.resting) == (True, True)


def test_verify_over_a_session_of_its_own_closes_it_whatever_is_said() -> None:
    session = resting_session()
    play(session, "C: QUIT\nS: 221 bye", command(session, "QUIT"))
    session.begin()
    opening = f"{GREETING}\nC: EHLO client.example\nS: 250 relay\n"
    with pytest.raises(CommandRefused, match=r"^VRFY was refused: 550 no such user"):
        play(
            session,
            f"{opening}C: VRFY ann\nS: 550 no such user\nC: QUIT\nS: 221 bye",
            verify(session, "ann"),
        )
    assert not session.connected


@pytest.mark.parametrize(
    ("offers", "name", "line"),
    [
        ("SMTPUTF8", "jörg", "VRFY jörg SMTPUTF8"),
        ("SMTPUTF8", "ann", "VRFY ann"),
        ("", "jörg", "VRFY jörg"),
    ],
)
def test_a_name_beyond_ascii_is_sent_with_the_parameter_where_that_is_known(
    offers: str, name: str, line: str
) -> None:
    session = resting_session(offers)
    play(session, f"C: {line}\nS: 252 perhaps", verify(session, name))


@pytest.mark.parametrize(
    ("lines", "members"),
    [
        (["250-Ann <a@y.example>", "250  b@y.example "], ["Ann <a@y.example>", "b@y.example"]),
        (["250-2.1.5 a@y.example", "250 2.1.5 b@y.example"], ["a@y.example", "b@y.example"]),
        (["250-2.1.5 a@y.example", "250 b@y.example"], ["a@y.example", "b@y.example"]),
        (["250-a@y.example", "250 2.1.5 b@y.example"], ["a@y.example", "2.1.5 b@y.example"]),
        (["250-", "250-2.1.5  ", "250 a@y.example"], ["2.1.5", "a@y.example"]),
        (["250-2.1.5 ", "250 a@y.example"], ["a@y.example"]),
        (["250 2.1.500 "], []),
        (["250 6.1.5 a@y.example"], ["6.1.5 a@y.example"]),
    ],
)
def test_members_are_what_stands_behind_the_status(lines: list[str], members: list[str]) -> None:
    session = resting_session()
    transcript = "C: EXPN staff\n" + "".join(f"S! {line}\\r\\n\n" for line in lines)
    player = Player(transcript)
    assert player.play(expand(session, "staff")) == members
    assert player.events == [Expand(member) for member in members]


def test_expand_says_which_command_was_refused() -> None:
    session = resting_session()
    with pytest.raises(CommandRefused, match=r"^EXPN was refused"):
        play(session, "C: EXPN staff\nS: 502 no", expand(session, "staff"))


# --- listening ------------------------------------------------------------------------------------


def test_without_a_session_listening_only_waits_a_moment() -> None:
    session = resting_session()
    play(session, "C: QUIT\nS: 221 bye", command(session, "QUIT"))
    assert ops_of(listen(session)) == [Sleep(0.02)]
    assert PAUSE == 0.02


def test_listening_to_a_server_that_says_nothing_changes_nothing() -> None:
    session = resting_session()
    (op,) = ops_of(listen(session), TimedOut(0.02))
    assert isinstance(op, Read)
    assert (op.deadline.idle, op.deadline.until) == (0.02, None)
    assert (session.connected, session.resting) == (True, True)


@pytest.mark.parametrize(("dialogue", "first"), [(listen, Read), (heed, Poll)])
@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "the server closed the connection"),
        (b"250 what\r\n", "an unasked reply arrived"),
        (b"25", "the server sent bytes that nothing asked for"),
        (b"421 4.3.2 closing\r\n", "the server is closing the connection"),
        (ConnectionLost("the connection broke"), "the connection broke"),
    ],
)
def test_what_is_said_unasked_closes_the_session_without_quit(
    dialogue: Callable[[Session], Dialogue[None]],
    first: type,
    said: bytes | SMTPSError,
    error: str,
) -> None:
    session = watched_session()
    begun, closed, told = ops_of(dialogue(session), said)
    assert (type(begun), type(closed), type(told)) == (first, Close, Emit)
    assert error in str(told)
    assert not session.connected


def test_heeding_a_server_that_says_nothing_changes_nothing() -> None:
    session = resting_session()
    assert ops_of(heed(session), None) == [Poll()]
    assert (session.connected, session.resting) == (True, True)
