"""Logging in, against transcripts."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue.opening import open_session
from smtps.enumerations import AuthMechanism, SSLStartMode
from smtps.errors import (
    AuthenticationRefused,
    BadValue,
    NotOffered,
    ProtocolError,
    ServiceClosing,
    SMTPSError,
)
from smtps.events import Direction, PITrail
from tests.support.player import GREETING, Player

HELLO = f"{GREETING}\nC: EHLO client.example\nS: 250-relay\n"
SECURE = f"{HELLO}S: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n"
PASSWORD = {"user": "u", "password": "S3cr3t"}
CLEAR = {"ssl_start_mode": SSLStartMode.NONE, "allow_plaintext_auth": True}


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLAIN = f"C: AUTH PLAIN {coded(chr(0) + 'u' + chr(0) + 'S3cr3t')}\n"


def play(transcript: str, **options: Any) -> Player:
    smtp = SMTPS(**{"mail_server": "relay.example", **CLEAR, **options})
    session = smtp._live
    session.heard = frozenset({PITrail})
    session.begin()
    player = Player(transcript)
    player.play(open_session(session))
    player.finish()
    assert session.connected
    return player


def fails(transcript: str, **options: Any) -> SMTPSError:
    with pytest.raises(SMTPSError) as caught:
        play(transcript, **options)
    return caught.value


def said(player: Player) -> list[str]:
    return [
        event.message
        for event in player.events
        if isinstance(event, PITrail) and event.direction is Direction.CLIENT
    ]


# --- what is chosen -------------------------------------------------------------------------------


def test_the_strongest_that_is_offered_is_chosen() -> None:
    hello = f"{HELLO}S: 250 AUTH LOGIN PLAIN CRAM-MD5\nC: AUTH CRAM-MD5\nS: 535 no"
    assert isinstance(fails(hello, **PASSWORD), AuthenticationRefused)


def test_login_comes_before_plain_where_user_and_password_was_assigned() -> None:
    player = play(
        f"{HELLO}S: 250 AUTH PLAIN LOGIN CRAM-MD5\nC: AUTH LOGIN\n"
        f"S: 334 {coded('Username:')}\nC: {coded('u')}\nS: 334 {coded('Password:')}\n"
        f"C: {coded('S3cr3t')}\nS: 235 ok",
        auth_mechanism=0,
        **PASSWORD,
    )
    assert said(player) == ["EHLO client.example", "AUTH LOGIN", "********", "********"]


def test_plain_is_used_where_login_is_not_offered() -> None:
    transcript = f"{HELLO}S: 250 AUTH=PLAIN\n{PLAIN}"
    player = play(transcript + "S: 235 ok", auth_mechanism=0, **PASSWORD)
    assert said(player)[1] == "AUTH PLAIN ********"


def test_a_named_mechanism_that_is_not_offered_is_said_with_what_is() -> None:
    error = fails(
        f"{HELLO}S: 250 AUTH PLAIN GSSAPI", auth_mechanism=AuthMechanism.SCRAM_SHA_256, **PASSWORD
    )
    assert isinstance(error, NotOffered)
    assert "AUTH with a mechanism for SCRAM_SHA_256 (only PLAIN GSSAPI)" in str(error)


def test_no_common_mechanism_is_said_with_what_is_offered() -> None:
    error = fails(f"{HELLO}S: 250 AUTH GSSAPI", **PASSWORD)
    assert isinstance(error, NotOffered)
    assert "AUTH with a mechanism for these credentials (only GSSAPI)" in str(error)


def test_a_server_without_auth_is_said() -> None:
    assert isinstance(fails(f"{HELLO}S: 250 SIZE", **PASSWORD), NotOffered)


def test_a_refused_mechanism_is_never_followed_by_a_weaker_one() -> None:
    error = fails(
        f"{HELLO}S: 250 AUTH CRAM-MD5 PLAIN LOGIN\nC: AUTH CRAM-MD5\nS: 504 5.5.4 no", **PASSWORD
    )
    assert isinstance(error, AuthenticationRefused)
    assert error.mechanism == "CRAM-MD5"


def test_a_token_is_used_before_a_password_and_alone() -> None:
    bearer = coded("user=u\1auth=Bearer tok\1\1")
    play(
        f"{HELLO}S: 250 AUTH PLAIN XOAUTH2\nC: AUTH XOAUTH2 {bearer}\nS: 235 ok",
        authorization_identity="Bearer tok",
        **PASSWORD,
    )
    error = fails(f"{HELLO}S: 250 AUTH PLAIN", user="u", authorization_identity="tok")
    assert isinstance(error, NotOffered)


def test_a_bare_authorization_identity_beside_a_password_says_as_whom_to_act() -> None:
    response = coded("boss\0u\0S3cr3t")
    play(
        f"{HELLO}S: 250 AUTH PLAIN XOAUTH2\nC: AUTH PLAIN {response}\nS: 235 ok",
        authorization_identity="boss",
        **PASSWORD,
    )


def test_a_bare_authorization_identity_is_a_token_where_oauth_is_named() -> None:
    bearer = coded("user=u\1auth=Bearer tok\1\1")
    play(
        f"{HELLO}S: 250 AUTH PLAIN XOAUTH2\nC: AUTH XOAUTH2 {bearer}\nS: 235 ok",
        authorization_identity="tok",
        auth_mechanism=AuthMechanism.XOAUTH2,
        **PASSWORD,
    )


# --- what is refused before the network is touched ------------------------------------------------


@pytest.mark.parametrize(
    ("mechanism", "field"),
    [
        (None, "user"),
        (AuthMechanism.USER_PASSWORD, "user"),
        (AuthMechanism.SASL_PLAIN, "user"),
        (AuthMechanism.XOAUTH2, "user"),
        (AuthMechanism.OAUTHBEARER, "user"),
        (AuthMechanism.EXTERNAL, "auth_mechanism"),
        (AuthMechanism.SCRAM_SHA_256_PLUS, "auth_mechanism"),
    ],
)
def test_what_another_could_use_does_not_cross_clear_text_unless_allowed(
    mechanism: AuthMechanism | None, field: str
) -> None:
    options: dict[str, Any] = {} if mechanism is None else {"auth_mechanism": mechanism}
    error = fails(
        "", authorization_identity="Bearer t", allow_plaintext_auth=False, **PASSWORD, **options
    )
    assert isinstance(error, BadValue)
    assert error.field == field
    if field == "user":
        assert error.reason.startswith("a password or token does not cross")
        assert error.reason.endswith("or set allow_plaintext_auth")


@pytest.mark.parametrize("name", ["CRAM_MD5", "SASL_DIGEST_MD5", "SCRAM_SHA_1", "SCRAM_SHA_256"])
def test_a_mechanism_that_does_not_show_the_password_crosses_clear_text_if_named(name: str) -> None:
    mechanism = AuthMechanism[name]
    error = fails(
        f"{HELLO}S: 250 AUTH PLAIN",
        allow_plaintext_auth=False,
        auth_mechanism=mechanism,
        **PASSWORD,
    )
    assert isinstance(error, NotOffered)


def test_apop_is_refused_as_pops_own() -> None:
    error = fails("", auth_mechanism=AuthMechanism.APOP, **PASSWORD)
    assert isinstance(error, BadValue)
    assert "POP" in str(error)


@pytest.mark.parametrize("mechanism", [AuthMechanism.XOAUTH2, AuthMechanism.OAUTHBEARER])
def test_oauth_without_a_token_is_refused(mechanism: AuthMechanism) -> None:
    error = fails("", auth_mechanism=mechanism, **PASSWORD)
    assert isinstance(error, BadValue)
    assert error.field == "token_provider"


@pytest.mark.parametrize("field", ["user", "password"])
def test_what_cannot_be_prepared_is_refused_without_repeating_it(field: str) -> None:
    options = {**PASSWORD, field: "S3cr3t\ue000", "auth_mechanism": AuthMechanism.SCRAM_SHA_256}
    error = fails("", **options)
    assert isinstance(error, BadValue)
    assert error.field == field
    assert "S3cr3t" not in str(error)


def test_external_without_a_certificate_is_refused() -> None:
    error = fails("", auth_mechanism=AuthMechanism.EXTERNAL, ssl_start_mode=SSLStartMode.EXPLICIT)
    assert isinstance(error, BadValue)
    assert error.field == "ssl_cert"


@pytest.mark.parametrize(("name", "extra"), [("NTLM", "ntlm"), ("KERBEROS", "kerberos")])
def test_a_mechanism_whose_package_is_missing_says_how_to_get_it(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    error = fails("", auth_mechanism=AuthMechanism[name], **PASSWORD)
    assert isinstance(error, BadValue)
    assert error.field == "auth_mechanism"
    assert f"pip install 'smtps[{extra}]'" in str(error)


def test_authentication_without_ehlo_is_refused() -> None:
    assert isinstance(fails("", allow_extensions=False, **PASSWORD), BadValue)


# --- the exchange ---------------------------------------------------------------------------------


def test_the_words_of_a_refusal_are_kept_and_the_password_is_not() -> None:
    error = fails(f"{HELLO}S: 250 AUTH PLAIN\n{PLAIN}S: 535 5.7.8 wrong", **PASSWORD)
    assert isinstance(error, AuthenticationRefused)
    assert "5.7.8 wrong" in str(error)
    assert "S3cr3t" not in repr(error) + str(error)


def test_a_temporary_refusal_may_be_tried_again() -> None:
    error = fails(f"{HELLO}S: 250 AUTH PLAIN\n{PLAIN}S: 454 4.7.0 later", **PASSWORD)
    assert error.retryable


def test_a_server_that_closes_says_so() -> None:
    error = fails(f"{HELLO}S: 250 AUTH PLAIN\n{PLAIN}S: 421 bye", **PASSWORD)
    assert isinstance(error, ServiceClosing)


@pytest.mark.parametrize(
    "replies",
    [
        "S: 334 ???",
        f"S: 334 {coded('more')}",
        "S: 334",
        "S: 250 ok",
        "S: 354 go",
        "S: 221 bye",
    ],
)
def test_a_reply_that_makes_no_sense_is_a_protocol_error(replies: str) -> None:
    error = fails(f"{HELLO}S: 250 AUTH PLAIN\n{PLAIN}{replies}", **PASSWORD)
    assert isinstance(error, ProtocolError)


@pytest.mark.parametrize("name", ["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5"])
def test_acceptance_before_the_exchange_is_complete_is_a_protocol_error(name: str) -> None:
    transcript = f"{HELLO}S: 250 AUTH {name}\nC~ AUTH {name}\nS: 235 welcome"
    error = fails(transcript, **PASSWORD)
    assert isinstance(error, ProtocolError)
    assert not error.session_usable


def test_login_is_not_over_before_the_password() -> None:
    error = fails(
        f"{HELLO}S: 250 AUTH LOGIN\nC: AUTH LOGIN\nS: 334\nC: {coded('u')}\nS: 235 ok", **PASSWORD
    )
    assert isinstance(error, ProtocolError)


def test_an_initial_response_that_is_too_long_for_a_command_waits_for_its_challenge() -> None:
    token = "t" * 2000
    bearer = coded(f"user=u\1auth=Bearer {token}\1\1")
    player = play(
        f"{HELLO}S: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2\nS: 334 go on\nC: {bearer}\nS: 235 ok",
        user="u",
        authorization_identity=token,
    )
    assert said(player)[1:] == ["AUTH XOAUTH2", "********"]


def test_a_mechanism_that_is_refused_before_its_long_response_is_not_given_it() -> None:
    error = fails(
        f"{HELLO}S: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2\nS: 504 no",
        user="u",
        authorization_identity="t" * 2000,
    )
    assert isinstance(error, AuthenticationRefused)


def test_the_status_of_a_token_that_is_refused_is_reported() -> None:
    bearer = coded("user=u\1auth=Bearer tok\1\1")
    status = coded('{"status":"invalid_token"}')
    error = fails(
        f"{HELLO}S: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2 {bearer}\nS: 334 {status}\n"
        "C:\nS: 535 5.7.8 no",
        user="u",
        authorization_identity="tok",
    )
    assert "(invalid_token)" in str(error)


# --- tokens ---------------------------------------------------------------------------------------


def attempt(token: str) -> str:
    return f"C: AUTH XOAUTH2 {coded(f'user=u{chr(1)}auth=Bearer {token}{chr(1)}{chr(1)}')}\n"


def giving(*tokens: str) -> Callable[[], str]:
    left = iter(tokens)
    return lambda: next(left)


def test_a_refused_token_is_tried_once_more_with_a_fresh_one() -> None:
    play(
        f"{HELLO}S: 250 AUTH XOAUTH2\n{attempt('old')}S: 535 no\n{attempt('new')}S: 235 ok",
        user="u",
        token_provider=giving("old", "new"),
    )


def test_a_second_refusal_is_the_last() -> None:
    error = fails(
        f"{HELLO}S: 250 AUTH XOAUTH2\n{attempt('old')}S: 535 no\n{attempt('new')}S: 535 never",
        user="u",
        token_provider=giving("old", "new", "newer"),
    )
    assert "never" in str(error)


def test_the_same_token_is_not_tried_again() -> None:
    fails(
        f"{HELLO}S: 250 AUTH XOAUTH2\n{attempt('old')}S: 535 no",
        user="u",
        token_provider=lambda: "old",
    )


def test_a_refusal_that_is_not_about_the_token_asks_for_no_other() -> None:
    fails(
        f"{HELLO}S: 250 AUTH XOAUTH2\n{attempt('old')}S: 454 later",
        user="u",
        token_provider=giving("old"),
    )


def test_a_provider_needs_no_user_for_oauthbearer() -> None:
    response = coded("n,,\1host=relay.example\1port=25\1auth=Bearer tok\1\1")
    play(
        f"{HELLO}S: 250 AUTH OAUTHBEARER\nC: AUTH OAUTHBEARER {response}\nS: 235 ok",
        token_provider=lambda: "tok",
    )


def test_the_server_is_named_in_ascii() -> None:
    response = coded("n,,\1host=xn--bcher-kva.example\1port=25\1auth=Bearer tok\1\1")
    play(
        f"{HELLO}S: 250 AUTH OAUTHBEARER\nC: AUTH OAUTHBEARER {response}\nS: 235 ok",
        mail_server="bücher.example",
        token_provider=lambda: "tok",
    )


# --- channel binding ------------------------------------------------------------------------------


def test_plus_is_left_where_python_has_nothing_that_servers_expect() -> None:
    transcript = f"{SECURE}C: EHLO client.example\nS: 250-relay\nS: 250 AUTH "
    error = fails(
        f"{transcript}SCRAM-SHA-256-PLUS SCRAM-SHA-256\nC~ AUTH SCRAM-SHA-256 biws\nS: 235 ok",
        ssl_start_mode=SSLStartMode.EXPLICIT,
        **PASSWORD,
    )
    assert isinstance(error, ProtocolError)


def test_a_kind_of_binding_that_the_connection_has_not_is_refused_before_auth() -> None:
    error = fails(
        f"TLS\n{HELLO}S: 250 AUTH SCRAM-SHA-256-PLUS",
        ssl_start_mode=SSLStartMode.IMPLICIT,
        auth_mechanism=AuthMechanism.SCRAM_SHA_256_PLUS,
        channel_binding="tls-unique",
        **PASSWORD,
    )
    assert isinstance(error, BadValue)
    assert error.field == "channel_binding"
    assert error.reason.startswith("this connection has nothing")
    assert not error.session_usable
