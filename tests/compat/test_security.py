"""What of TLS and of secrets is safer than in smtplib; docs/smtplib.md has a row for each."""

from __future__ import annotations

import io
import smtplib
import ssl
from contextlib import closing, redirect_stderr

import pytest

from smtps import compat
from smtps.testing import Authority, Fault, Sink
from tests.compat.modules import clear

# --- TLS ------------------------------------------------------------------------------------------


def test_a_certificate_of_nobody_is_refused_from_the_first_byte() -> None:
    with Sink(tls="implicit") as sink, pytest.raises(ssl.SSLCertVerificationError):
        compat.SMTP_SSL(sink.host, sink.port)


def test_a_certificate_of_nobody_is_refused_by_starttls_and_the_connection_closed() -> None:
    with Sink(tls="starttls") as sink, closing(clear(sink)) as smtp:
        with pytest.raises(ssl.SSLCertVerificationError):
            smtp.starttls()
        assert smtp.sock is None
        assert not [line for line in sink.commands if not line.startswith(("EHLO", "ehlo", "STAR"))]


def test_a_certificate_with_another_name_is_refused(authority: Authority) -> None:
    trust = ssl.create_default_context(cafile=authority.ca_file)
    with Sink(tls="implicit", certificate=authority.issue("elsewhere.example")) as sink:
        with pytest.raises(ssl.SSLCertVerificationError, match=r"elsewhere|127"):
            compat.SMTP_SSL(sink.host, sink.port, context=trust)


@pytest.mark.parametrize("when", ["made", "connected"])
def test_the_name_is_that_of_the_host_without_the_port(when: str) -> None:
    with Sink(tls="starttls") as sink:
        trust = ssl.create_default_context(cafile=sink.ca_file)
        place = f"localhost:{sink.port}"
        with closing(compat.SMTP(place) if when == "made" else compat.SMTP()) as smtp:
            if when == "connected":
                smtp.connect(place)
            assert smtp.starttls(context=trust)[0] == 220
            assert smtp.noop()[0] == 250
            assert isinstance(smtp.sock, ssl.SSLSocket)


@pytest.mark.parametrize("injected", [b"250 evil\r\n", b"250-evil\r\n", b"\0"])
def test_bytes_behind_the_220_of_starttls_end_the_connection(injected: bytes) -> None:
    evil = Fault(on="STARTTLS", reply=b"220 go\r\n", inject=injected)
    with Sink(tls="starttls", faults=[evil]) as sink, closing(clear(sink)) as smtp:
        trust = ssl.create_default_context(cafile=sink.ca_file)
        with pytest.raises(smtplib.SMTPException, match=r"unasked|nothing asked"):
            smtp.starttls(context=trust)
        assert smtp.sock is None


def test_what_was_offered_in_clear_text_is_forgotten_by_starttls() -> None:
    with Sink(tls="starttls") as sink, closing(clear(sink)) as smtp:
        smtp.ehlo()
        smtp.starttls(context=ssl.create_default_context(cafile=sink.ca_file))
        assert (smtp.esmtp_features, smtp.ehlo_resp, smtp.does_esmtp) == ({}, None, False)


# --- secrets --------------------------------------------------------------------------------------


def test_the_debug_output_hides_passwords(sink: Sink) -> None:
    heard = io.StringIO()
    with redirect_stderr(heard), closing(clear(sink)) as smtp:
        smtp.set_debuglevel(1)
        smtp.login("user", "secret")
        smtp.auth("LOGIN", smtp.auth_login, initial_response_ok=False)
    assert "send: 'AUTH PLAIN ********\\r\\n'" in heard.getvalue()
    for secret in ("AHVzZXIAc2VjcmV0", "c2VjcmV0", "secret", "dXNlcg=="):
        assert secret not in heard.getvalue()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_password_may_have_any_letters(mechanism: str) -> None:
    user, password = "\u00fcser", "s\u00e9cret"
    with Sink(users={user: password}, mechanisms=[mechanism], auth_in_clear=True) as sink:
        with closing(clear(sink)) as smtp:
            assert smtp.login(user, password)[0] == 235
            assert sink.connections[0].mechanism == mechanism


def test_an_initial_response_that_is_too_long_for_a_command_waits_for_its_turn() -> None:
    password = "x" * 600
    with Sink(users={"user": password}, auth_in_clear=True) as sink, closing(clear(sink)) as smtp:
        assert smtp.login("user", password)[0] == 235
        assert "AUTH PLAIN" in sink.commands


def test_a_challenge_that_is_no_base64_is_refused(sink: Sink) -> None:
    sink.add_fault(Fault(on="AUTH", reply="334 what is your name?"))
    with closing(clear(sink)) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = "user", "secret"
        with pytest.raises(smtplib.SMTPException, match="not base64"):
            smtp.auth("LOGIN", smtp.auth_login, initial_response_ok=False)
