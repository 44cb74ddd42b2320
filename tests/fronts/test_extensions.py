"""ESMTP parameters on the wire: sent where they are offered, refused before MAIL elsewhere."""

from __future__ import annotations

from itertools import repeat

import pytest

from smtps import Envelope, NotOffered, ProtocolError, Recipient
from smtps.testing import Fault, Sink
from tests.support.fronts import Front

CONTENT = b"Subject: x\r\n\r\nx\r\n"
BEFORE_LOGIN = "250-sink.example\r\n250 AUTH PLAIN LOGIN"


def test_a_server_that_offers_more_after_login_is_asked_again(front: Front) -> None:
    envelope = Envelope("a@b.example", [Recipient("x@y.example", notify="NEVER")])
    with Sink(tls="starttls", users={"u": "p"}) as sink:
        sink.add_fault(Fault(on="EHLO", nth=2, reply=BEFORE_LOGIN))
        smtp = front.at(sink.url)
        front.connect(smtp)
        assert not smtp.capabilities.dsn
        front.send(smtp, (envelope, CONTENT))
        front.send(smtp, (envelope, CONTENT))
        assert smtp.capabilities.dsn
    assert sink.messages[0].recipient_parameters == ({"NOTIFY": "NEVER"},)
    assert sum(line.startswith("EHLO") for line in sink.commands) == 3


def test_a_server_that_offers_no_more_after_login_is_asked_once(front: Front) -> None:
    envelope = Envelope("a@b.example", ["x@y.example"], requiretls=True)
    with Sink(tls="starttls", users={"u": "p"}) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        for _ in range(2):
            with pytest.raises(NotOffered, match="REQUIRETLS"):
                front.send(smtp, (envelope, CONTENT))
        assert front.send(smtp, (Envelope("a@b.example", ["x@y.example"]), CONTENT)).ok
    assert sum(line.startswith("EHLO") for line in sink.commands) == 3


def test_a_server_that_will_not_be_asked_again_keeps_its_offer(front: Front) -> None:
    envelope = Envelope("a@b.example", ["x@y.example"], requiretls=True)
    with Sink(tls="starttls", users={"u": "p"}) as sink:
        sink.add_fault(Fault(on="EHLO", nth=3, reply="503 5.5.1 Said already"))
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(NotOffered, match="REQUIRETLS"):
            front.send(smtp, (envelope, CONTENT))
        assert smtp.capabilities.dsn
        assert front.send(smtp, (Envelope("a@b.example", ["x@y.example"]), CONTENT)).ok


def test_a_reply_to_ehlo_of_many_odd_lines_is_read(front: Front) -> None:
    lines = [f"X-{number} {'=' * 1000}" for number in range(200)]
    reply = "".join(f"250-{line}\r\n" for line in ["sink.example", "SIZE 10", *lines]) + "250 END"
    with Sink(faults=[Fault(on="EHLO", reply=reply)]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        assert (smtp.capabilities.size, len(smtp.capabilities.raw)) == (10, 128)


def test_a_reply_to_ehlo_without_end_is_an_error_in_bounded_memory(front: Front) -> None:
    with Sink(faults=[Fault(on="EHLO", reply=repeat(b"250-X-MORE\r\n" * 1000))]) as sink:
        with pytest.raises(ProtocolError, match="more than 1000 lines"):
            front.connect(front.at(sink.url))
