"""A server that says no, to each command and with each code: what is known, and what goes on."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import Envelope, SMTPSError
from smtps.testing import Fault, Sink
from tests.support.fronts import Front

CODES = (400, 421, 450, 451, 452, 500, 501, 502, 503, 504, 521, 530, 535, 550, 552, 554, 555)
OPENING = ("greeting", "EHLO", "STARTTLS", "AUTH")
CONTENT = b"Subject: x\r\n\r\nx\r\n"
ENVELOPE = Envelope("a@b.example", ["x@y.example"])


def send(front: Front, sink: Sink) -> tuple[Any, SMTPSError | None]:
    """Send one message, and give the component and the error."""
    smtp = front.at(sink.url)
    try:
        front.connect(smtp)
        front.send(smtp, (ENVELOPE, CONTENT))
    except SMTPSError as error:
        return smtp, error
    return smtp, None


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("place", OPENING)
def test_a_session_that_is_refused_is_none(front: Front, place: str, code: int) -> None:
    with Sink(tls="starttls", users={"u": "p"}) as sink:
        sink.add_fault(Fault(on=place, reply=f"{code} 5.9.9 words of the server"))
        if place == "EHLO":
            sink.add_fault(Fault(on="HELO", reply=f"{code} 5.9.9 words of the server"))
        smtp, error = send(front, sink)
    assert error is not None
    assert error.reply is not None
    assert (error.reply.code, "words of the server" in str(error)) == (code, True)
    assert not smtp.connected
    assert sink.count == 0
    assert not any(line.startswith("MAIL") for line in sink.commands)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA", "."])
def test_a_message_that_is_refused_says_by_whom_and_how(
    front: Front, place: str, code: int
) -> None:
    with Sink() as sink:
        sink.add_fault(Fault(on=place, nth=1, reply=f"{code} 5.9.9 words of the server"))
        smtp, error = send(front, sink)
        assert error is not None
        assert error.reply is not None
        assert (error.reply.code, "words of the server" in str(error)) == (code, True)
        assert error.retryable is (code < 500)
        assert error.receipt is not None
        assert not error.receipt.accepted
        assert not error.receipt.unknown
        # RFC 5321 3.8: behind a 421 the server closes. After any other the session goes on.
        assert smtp.connected is error.session_usable is (code != 421)
        assert sink.count == 0
        assert front.send(smtp, (ENVELOPE, CONTENT)).ok
    assert sink.messages[0].recipients == ("x@y.example",)


@pytest.mark.parametrize("code", CODES)
def test_a_refused_quit_changes_nothing(front: Front, code: int) -> None:
    with Sink() as sink:
        sink.add_fault(Fault(on="QUIT", reply=f"{code} no"))
        smtp, error = send(front, sink)
        front.disconnect(smtp)
        assert error is None
        assert not smtp.connected
    assert sink.count == 1


@pytest.mark.parametrize("code", CODES)
def test_a_refused_rset_gives_the_session_up(front: Front, code: int) -> None:
    with Sink() as sink:
        sink.add_fault(Fault(on="MAIL", nth=1, reply="550 5.7.1 no"))
        sink.add_fault(Fault(on="RSET", reply=f"{code} no"))
        smtp, error = send(front, sink)
        assert error is not None
        assert error.reply is not None
        assert error.reply.code == 550
        assert not smtp.connected
        assert front.send(smtp, (ENVELOPE, CONTENT)).ok
    assert len(sink.connections) == 2
