"""Sending through a real socket to the sink: the same on both fronts."""

from __future__ import annotations

import io
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest

from smtps import (
    Envelope,
    Error,
    Outcome,
    PITrail,
    Recipient,
    RecipientsRefused,
    SSLStartMode,
)
from smtps.errors import (
    AddressError,
    AlreadyConnected,
    AuthenticationRefused,
    BadValue,
    CertificateRefused,
    ConnectionFailed,
    DeliveryUnknown,
    MessageRefused,
    NotOffered,
    ProtocolError,
    SessionError,
    SMTPSError,
    TimedOut,
    TLSError,
    TooLarge,
)
from smtps.testing import Fault, Sink
from tests.support.fronts import Front

pytestmark = pytest.mark.uvloop

ENVELOPE = Envelope("a@b.example", ["x@y.example", "z@y.example"])
CONTENT = b"Subject: x\n\n.a\r..b\r\n.\nlast"
ARRIVED = b"Subject: x\r\n\r\n.a\r\n..b\r\n.\r\nlast\r\n"


@pytest.mark.parametrize("tls", [None, "starttls", "implicit"])
def test_a_message_arrives_as_it_was_given(
    front: Front, tls: Literal["starttls", "implicit"] | None
) -> None:
    with Sink(tls=tls) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert receipt.ok
    (message,) = sink.messages
    assert message.sender == "a@b.example"
    assert message.recipients == ("x@y.example", "z@y.example")
    assert message.content == ARRIVED
    assert message.tls is (tls is not None)
    assert sum(connection.bare_newlines for connection in sink.connections) == 0


@pytest.mark.parametrize("kind", ["path", "text path", "file", "chunks", "view"])
def test_content_comes_from_any_source(front: Front, kind: str, tmp_path: Path) -> None:
    data = b"Subject: x\r\n\r\n" + b".line of text\r\n" * 40_000
    path = tmp_path / "message.eml"
    path.write_bytes(data)
    source = {
        "path": path,
        "text path": str(path),
        "file": io.BytesIO(data),
        "chunks": (data[start : start + 999] for start in range(0, len(data), 999)),
        "view": memoryview(data),
    }[kind]
    with Sink() as sink:
        front.send(front.at(sink.url), (ENVELOPE, source))
    assert sink.messages[0].content == data


def test_an_email_message_goes_to_its_own_recipients_and_hides_bcc(front: Front) -> None:
    message = EmailMessage()
    message["From"] = "Ann <a@b.example>"
    message["To"] = "x@y.example, X <x@y.example>"
    message["Bcc"] = "secret@y.example"
    message["Message-ID"] = "<1@b.example>"
    message.set_content("Grüße")
    with Sink() as sink:
        receipt = front.send(front.at(sink.url), message)
    assert receipt.message_id == "<1@b.example>"
    assert sink.messages[0].recipients == ("x@y.example", "secret@y.example")
    assert b"secret" not in sink.messages[0].content
    assert message["Bcc"] == "secret@y.example"


def test_a_parsed_message_may_have_folded_recipients(front: Front) -> None:
    message = message_from_bytes(b"From: a@b.example\nTo: x@y.example,\n z@y.example\n\nHello\n")
    with Sink() as sink:
        front.send(front.at(sink.url), message)
    assert sink.messages[0].recipients == ("x@y.example", "z@y.example")


def test_the_classic_properties_make_a_message(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.from_ = '"Ann" <a@b.example>'
        smtp.send_to = "x@y.example"
        smtp.cc = "c@y.example"
        smtp.bcc = "blind@y.example"
        smtp.subject = "Grüße"
        smtp.message_text = "one\n.two\n"
        front.send(smtp)
    (message,) = sink.messages
    assert message.recipients == ("x@y.example", "c@y.example", "blind@y.example")
    assert message.content.endswith(b"\r\n\r\none\r\n.two\r\n")
    assert message.content.startswith(b"From: ")
    assert b"blind" not in message.content


def test_a_refused_bcc_is_an_event_and_a_refused_to_is_an_error(front: Front) -> None:
    with Sink(faults=[Fault(on="RCPT", when="blind@", reply="550 5.1.1 no")]) as sink:
        smtp = front.at(sink.url)
        errors: list[Error] = []
        smtp.on_error = errors.append
        smtp.from_, smtp.send_to, smtp.bcc = "a@b.example", "x@y.example", "blind@y.example"
        receipt = front.send(smtp)
        assert receipt.refused == ("blind@y.example",)
        assert [error.error_code for error in errors] == [161]
        smtp.send_to, smtp.bcc = "blind@y.example, x@y.example", ""
        with pytest.raises(RecipientsRefused) as caught:
            front.send(smtp)
        assert caught.value.code == 161
    assert sink.count == 1


def test_a_session_that_was_there_stays_and_one_of_its_own_goes(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.send(smtp, (ENVELOPE, CONTENT))
        assert not smtp.connected
        front.connect(smtp)
        assert smtp.capabilities.pipelining
        for _ in range(3):
            front.send(smtp, (ENVELOPE, CONTENT))
        assert smtp.connected
        with pytest.raises(AlreadyConnected):
            front.connect(smtp)
        front.disconnect(smtp)
        assert not smtp.connected
    assert len(sink.connections) == 2


def test_a_refused_message_leaves_the_session_for_the_next(front: Front) -> None:
    with Sink(faults=[Fault(on=".", nth=1, reply="554 5.7.1 spam")]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(MessageRefused) as caught:
            front.send(smtp, (ENVELOPE, CONTENT))
        assert caught.value.receipt is not None
        assert caught.value.receipt.refused == ("x@y.example", "z@y.example")
        assert front.send(smtp, (ENVELOPE, CONTENT)).ok
    assert len(sink.connections) == 1


def test_without_extensions_it_still_sends(front: Front) -> None:
    with Sink(extensions=[]) as sink:
        assert front.send(front.at(sink.url), (ENVELOPE, CONTENT)).ok
    assert sink.messages[0].content == ARRIVED


def test_replies_split_at_every_byte_are_read(front: Front) -> None:
    with Sink(split=True) as sink:
        assert front.send(front.at(sink.url), (ENVELOPE, CONTENT)).ok


def test_the_trail_shows_the_session_and_neither_content_nor_password(front: Front) -> None:
    with Sink(tls="starttls", users={"user": "S3cr3t!"}) as sink:
        smtp = front.at(sink.url)
        trail: list[PITrail] = []
        smtp.on_pi_trail = trail.append
        front.send(smtp, (ENVELOPE, b"Subject: hidden\r\n\r\nhidden\r\n"))
    text = "\n".join(event.message for event in trail)
    assert "MAIL FROM:<a@b.example>" in text
    assert "hidden" not in text
    assert "S3cr3t" not in text
    assert "S3cr3t" not in repr(smtp)
    assert sink.messages[0].user == "user"


def test_a_wrong_password_is_refused_and_leaves_no_connection(front: Front) -> None:
    with Sink(tls="starttls", users={"user": "right"}) as sink:
        smtp = front.at(sink.url)
        smtp.password = "wrong"
        with pytest.raises(AuthenticationRefused):
            front.connect(smtp)
        assert not smtp.connected


def test_a_certificate_that_nobody_vouches_for_is_refused_before_ehlo(front: Front) -> None:
    with Sink(tls="implicit") as sink:
        smtp = front.make(mail_server=sink.host, mail_port=sink.port, ssl_start_mode=1)
        with pytest.raises(CertificateRefused) as caught:
            front.connect(smtp)
        assert caught.value.code == 280
    assert sink.connections[0].commands == []


def test_injected_bytes_behind_starttls_are_refused(front: Front) -> None:
    with Sink(tls="starttls", faults=[Fault(on="STARTTLS", inject=b"250 evil\r\n")]) as sink:
        with pytest.raises((ProtocolError, TLSError)):
            front.connect(front.at(sink.url))
    assert "AUTH" not in "".join(sink.connections[0].commands)


def test_starttls_that_is_not_offered_sends_nothing_in_clear_text(front: Front) -> None:
    with Sink() as sink:
        smtp = front.make(
            mail_server=sink.host, mail_port=sink.port, ssl_start_mode=SSLStartMode.EXPLICIT
        )
        with pytest.raises(TLSError):
            front.send(smtp, (ENVELOPE, CONTENT))
    assert sink.count == 0
    assert not any("MAIL" in line for line in sink.connections[0].commands)


@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA"])
def test_a_connection_dropped_before_the_content_is_not_sent(front: Front, place: str) -> None:
    with Sink(faults=[Fault(on=place, silent=True, drop=True)]) as sink:
        smtp = front.at(sink.url)
        with pytest.raises(SessionError) as caught:
            front.send(smtp, (ENVELOPE, CONTENT))
        assert caught.value.receipt is not None
        assert {result.outcome for result in caught.value.receipt.results} == {Outcome.NOT_SENT}
        assert not smtp.connected


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_dropped_after_the_dot_is_unknown(front: Front, reset: bool) -> None:
    with Sink(faults=[Fault(on=".", silent=True, drop=not reset, reset=reset)]) as sink:
        with pytest.raises(DeliveryUnknown) as caught:
            front.send(front.at(sink.url), (ENVELOPE, CONTENT))
        assert caught.value.receipt is not None
        assert caught.value.receipt.unknown == ("x@y.example", "z@y.example")


def test_a_server_that_hangs_is_left_after_the_timeout(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", silent=True, stall=True)]) as sink:
        smtp = front.at(sink.url + "&timeout=1")
        with pytest.raises(TimedOut) as caught:
            front.send(smtp, (ENVELOPE, CONTENT))
        assert "MAIL" in str(caught.value)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.code == 301


def test_an_absolute_timeout_bounds_a_dripping_server(front: Front) -> None:
    with Sink(faults=[Fault(on="greeting", drip=0.05)]) as sink:
        smtp = front.at(sink.url + "&timeout=0.3&absolute_timeout=true")
        with pytest.raises(TimedOut):
            front.connect(smtp)


def test_a_line_without_end_is_an_error_in_bounded_memory(front: Front) -> None:
    endless = (b"250 " + b"x" * 65536 for _ in range(64))
    with Sink(faults=[Fault(on="EHLO", reply=endless)]) as sink:
        with pytest.raises(ProtocolError, match="more than"):
            front.connect(front.at(sink.url))


def test_nobody_listening_is_said_with_the_address(front: Front) -> None:
    with Sink() as sink:
        url = sink.url
    with pytest.raises(ConnectionFailed) as caught:
        front.connect(front.at(url))
    assert caught.value.code == 10061
    assert str(sink.port) in str(caught.value)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nRCPT TO:<v@x.example>", "\x7f", "\ud800"])
@pytest.mark.parametrize("where", ["sender", "recipient", "hello", "subject", "from_", "user"])
def test_a_control_character_is_refused_before_any_byte(front: Front, bad: str, where: str) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to = "a@b.example", "x@y.example"
        with pytest.raises((BadValue, AddressError)) as caught:
            _send_with(front, smtp, where, bad)
        assert str(caught.value).isprintable()
        assert smtp.idle
    assert sink.connections == ()


def _send_with(front: Front, smtp: Any, where: str, bad: str) -> None:
    if where == "sender":
        front.send(smtp, (ENVELOPE, CONTENT), sender=f"a{bad}@b.example")
    elif where == "recipient":
        front.send(smtp, (ENVELOPE, CONTENT), recipients=[f"x@y.example{bad}"])
    elif where == "hello":
        smtp.settings.hello = f"x{bad}"
    else:
        setattr(smtp, where, f"x{bad}")
        front.send(smtp)


def test_what_the_server_does_not_offer_is_refused_before_mail(front: Front) -> None:
    wants_report = Envelope("a@b.example", [Recipient("x@y.example", notify="SUCCESS")])
    with Sink(extensions=["SIZE 10"]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        for item, kind in (
            ((wants_report, b""), NotOffered),
            ((Envelope("ä@b.example", ["x@y.example"]), b""), NotOffered),
            ((ENVELOPE, CONTENT), TooLarge),
        ):
            with pytest.raises(kind):
                front.send(smtp, item)
        assert smtp.connected
    assert not any("MAIL" in line for line in sink.connections[0].commands)


def test_content_that_fails_to_read_hands_nothing_over(front: Front) -> None:
    def broken() -> object:
        yield b"x" * 100_000
        raise RuntimeError("the source broke")

    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(RuntimeError, match="the source broke"):
            front.send(smtp, (ENVELOPE, broken()))
        assert not smtp.connected
        assert front.send(smtp, (ENVELOPE, CONTENT)).ok
    assert sink.count == 1


def test_an_early_refusal_in_the_middle_of_large_content_is_reported(front: Front) -> None:
    with Sink(faults=[Fault(received=100_000, reset=True)]) as sink:
        chunks = (b"x" * 1000 + b"\r\n" for _ in range(20_000))
        with pytest.raises(SMTPSError) as caught:
            front.send(front.at(sink.url), (ENVELOPE, chunks))
        assert caught.value.receipt is not None
        assert caught.value.receipt.not_sent == ("x@y.example", "z@y.example")
