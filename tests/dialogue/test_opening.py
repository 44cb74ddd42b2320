"""Opening a session, against transcripts."""

from __future__ import annotations

from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue.closing import close_session
from smtps.dialogue.opening import name_of, open_session
from smtps.enumerations import Protocol, SSLStartMode
from smtps.errors import (
    BadValue,
    CommandRefused,
    ConnectionLost,
    GreetingRefused,
    ProtocolError,
    SMTPSError,
    TLSError,
)
from smtps.events import Direction, PITrail
from smtps.ops import Connected
from smtps.session import Session
from tests.support.player import GREETING, Player, resting_session

HELLO = "C: EHLO client.example\n"
TLS = f"{GREETING}\n{HELLO}S: 250-relay\nS: 250 STARTTLS\nC: STARTTLS\n"


def play(transcript: str, **options: Any) -> tuple[Session, Player]:
    smtp = SMTPS(**{"mail_server": "relay.example", **options})
    session = smtp._live
    session.heard = frozenset({PITrail})
    session.begin()
    player = Player(transcript)
    player.play(open_session(session))
    player.finish()
    return session, player


def fails(transcript: str, **options: Any) -> SMTPSError:
    with pytest.raises(SMTPSError) as caught:
        play(transcript, **options)
    return caught.value


def test_ehlo_is_said_again_after_starttls_and_what_was_said_before_is_forgotten() -> None:
    session, _ = play(
        f"{GREETING}\n{HELLO}S: 250-relay\nS: 250-CHUNKING\nS: 250 STARTTLS\nC: STARTTLS\n"
        f"S: 220 go\nTLS\n{HELLO}S: 250-relay\nS: 250-SIZE 1000\nS: 250 PIPELINING"
    )
    assert session.connected
    assert session.capabilities.pipelining
    assert session.capabilities.size == 1000
    assert not session.capabilities.chunking


def test_helo_is_said_where_ehlo_is_not_known() -> None:
    session, _ = play(
        f"{GREETING}\n{HELLO}S: 502 what\nC: HELO client.example\nS: 250 relay",
        ssl_start_mode=SSLStartMode.NONE,
    )
    assert session.connected
    assert not session.capabilities.raw


def test_implicit_tls_comes_before_the_greeting() -> None:
    session, _ = play(f"TLS\n{GREETING}\n{HELLO}S: 250 relay", mail_port=465)
    assert session.tls is not None


@pytest.mark.parametrize("answer", ["454 no", "501 no", "250 no"])
def test_a_refused_starttls_never_goes_on_in_clear_text(answer: str) -> None:
    error = fails(f"{TLS}S: {answer}")
    assert isinstance(error, TLSError)
    assert not error.session_usable


def test_a_missing_starttls_never_goes_on_in_clear_text() -> None:
    error = fails(f"{GREETING}\n{HELLO}S: 250 relay")
    assert isinstance(error, TLSError)
    assert "STARTTLS" in str(error)


def test_bytes_behind_the_220_to_starttls_are_an_attack() -> None:
    error = fails(f"{TLS}S: 220 go\nS: 250-evil\nS: 250 AUTH PLAIN")
    assert isinstance(error, ProtocolError)


def test_half_a_line_behind_the_220_to_starttls_is_an_attack() -> None:
    error = fails(f"{TLS}S: 220 go\nS! 250-evil")
    assert isinstance(error, ProtocolError)


def test_a_greeting_that_refuses_is_reported_with_its_words() -> None:
    error = fails("S: 554 not you")
    assert isinstance(error, GreetingRefused)
    assert not error.retryable
    assert "not you" in str(error)


def test_a_greeting_of_421_may_be_tried_again() -> None:
    assert fails("S: 421 busy").retryable


def test_a_server_that_closes_is_reported_with_the_phase() -> None:
    error = fails(f"{GREETING}\n{HELLO}X")
    assert isinstance(error, ConnectionLost)
    assert "EHLO" in str(error)


def test_an_unasked_line_behind_ehlo_is_named() -> None:
    error = fails(f"{GREETING}\n{HELLO}S: 250 relay\nS: 250 boo", ssl_start_mode=SSLStartMode.NONE)
    assert isinstance(error, ProtocolError)
    assert "boo" in str(error)


def test_no_server_touches_no_network() -> None:
    error = fails("", mail_server="")
    assert isinstance(error, BadValue)
    assert error.code == 163


def test_a_password_does_not_cross_clear_text_unless_allowed() -> None:
    error = fails("", user="u", password="p", ssl_start_mode=SSLStartMode.NONE)
    assert isinstance(error, BadValue)
    assert error.field == "user"


@pytest.mark.parametrize("answer", ["S: 221 bye", "S: 500 what", "X", "S: nonsense"])
def test_nothing_that_happens_at_quit_is_an_error(answer: str) -> None:
    session = resting_session()
    player = Player(f"C: QUIT\n{answer}")
    player.play(close_session(session))
    player.finish()
    assert player.closed
    assert not session.connected


@pytest.mark.parametrize(
    ("own_name", "own_address", "name"),
    [
        ("client.example", "192.0.2.1", "client.example"),
        ("client", "192.0.2.1", "[192.0.2.1]"),
        ("", "192.0.2.1", "[192.0.2.1]"),
        ("client", "2001:db8::1", "[IPv6:2001:db8::1]"),
        ("client", "fe80::1%eth0", "[IPv6:fe80::1]"),
        ("client", "", "client"),
        ("", "", "localhost"),
    ],
)
def test_a_host_without_a_whole_name_greets_by_its_address(
    own_name: str, own_address: str, name: str
) -> None:
    assert name_of(Connected(own_name, own_address, "192.0.2.2")) == name
    assert name_of(None) == "localhost"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mail_server": ""}, "mail_server: empty; name the relay"),
        (
            {"mail_server": "/run/lmtp", "ssl_start_mode": SSLStartMode.EXPLICIT},
            "ssl_start_mode: a Unix socket has no host name for a certificate; choose NONE",
        ),
        (
            {"allow_extensions": False, "ssl_start_mode": SSLStartMode.EXPLICIT},
            "allow_extensions: STARTTLS needs EHLO; allow extensions or choose ssl_start_mode"
            " IMPLICIT or NONE",
        ),
        (
            {"allow_extensions": False, "ssl_start_mode": 3, "protocol": Protocol.LMTP},
            "allow_extensions: LMTP has no HELO; allow extensions",
        ),
        (
            {
                "allow_extensions": False,
                "ssl_start_mode": SSLStartMode.IMPLICIT,
                "user": "u",
                "password": "p",
            },
            "allow_extensions: authentication needs EHLO; allow extensions",
        ),
    ],
)
def test_options_that_contradict_each_other_are_told_before_anything_is_sent(
    options: dict[str, Any], sentence: str
) -> None:
    error = fails("", **options)
    assert isinstance(error, BadValue)
    assert str(error) == sentence


@pytest.mark.parametrize(
    ("verb", "reply", "options"),
    [
        ("LHLO", "550 no", {"protocol": Protocol.LMTP}),
        ("EHLO", "450 later", {}),
        ("HELO", "550 no", {"allow_extensions": False}),
    ],
)
def test_a_refused_greeting_is_named(verb: str, reply: str, options: dict[str, Any]) -> None:
    transcript = f"{GREETING}\nC: {verb} client.example\nS: {reply}"
    error = fails(transcript, ssl_start_mode=3, **options)
    assert isinstance(error, CommandRefused)
    assert str(error).startswith(f"{verb} was refused: {reply}")


def test_what_was_left_of_a_connection_does_not_count_for_the_next() -> None:
    session = resting_session("PIPELINING,CHUNKING")
    session.touched = session.may_offer_more = True
    session.transactions, session.domains = 5, {"y.example"}
    player = Player(f"{GREETING}\n{HELLO}S: 250 relay")
    player.play(open_session(session))
    assert not session.capabilities.raw
    assert not session.touched
    assert not session.may_offer_more
    assert session.transactions == 0
    assert session.domains == set()


def test_the_trail_says_which_tls_there_is() -> None:
    _, player = play(f"TLS\n{GREETING}\n{HELLO}S: 250 relay", mail_port=465)
    assert PITrail(Direction.INFO, "TLSv1.3, TLS_AES_256_GCM_SHA384") in player.events
