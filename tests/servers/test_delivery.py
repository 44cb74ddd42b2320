"""Both components send through real servers: what arrives is what was given."""

from __future__ import annotations

import re

import pytest

from smtps import Envelope, RecipientsRefused
from tests.support.fronts import Front
from tests.support.postfix import Postfix
from tests.support.servers import DEFERRED, REFUSED, RealServer, fresh_address

CONTENT = (
    b"From: a@b.example\nTo: x@y.example\r\nSubject: x\nBcc: z@y.example\n\n"
    b".\n..\r.dot\r\n.\r\nMAIL FROM:<evil@x.example>\r\n\r\n8 bits: \xc3\xa4\nno end of line"
)
ARRIVES = re.sub(rb"\r\n|\r|\n", b"\r\n", CONTENT) + b"\r\n"


def test_a_message_arrives_byte_for_byte(front: Front, real_server: RealServer) -> None:
    one, two = fresh_address(), fresh_address()
    receipt = front.send(front.at(real_server.url), (Envelope("a@b.example", [one, two]), CONTENT))
    assert receipt.ok
    arrived = real_server.received(one)
    bcc = b"Bcc: z@y.example\r\n" if real_server.drops_bcc else b""
    assert arrived.content == ARRIVES.replace(bcc, b"")
    assert (arrived.sender, sorted(arrived.recipients)) == ("a@b.example", [one, two])


def test_postfix_saw_tls(front: Front, postfix: Postfix) -> None:
    recipient = fresh_address()
    front.send(front.at(postfix.url), (Envelope("a@b.example", [recipient]), CONTENT))
    assert b"using TLSv1.3" in postfix.received(recipient).trace


def test_refusals_have_the_words_of_the_server(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    people = [REFUSED, kept, DEFERRED]
    receipt = front.send(front.at(real_server.url), (Envelope("a@b.example", people), CONTENT))
    assert (receipt.refused, receipt.accepted, receipt.deferred) == (
        (REFUSED,),
        (kept,),
        (DEFERRED,),
    )
    assert receipt.results[0].reply is not None
    assert receipt.results[0].reply.enhanced == "5.1.1"
    assert "No such user" in receipt.results[0].reply.text
    assert real_server.received(kept).recipients == (kept,)


def test_a_message_that_nobody_takes_lends_nothing_to_the_next(
    front: Front, real_server: RealServer
) -> None:
    kept = fresh_address()
    smtp = front.at(real_server.url)
    front.connect(smtp)
    with pytest.raises(RecipientsRefused):
        front.send(smtp, (Envelope("first@b.example", [REFUSED]), CONTENT))
    front.send(smtp, (Envelope("second@b.example", [kept]), CONTENT))
    arrived = real_server.received(kept)
    assert (arrived.sender, arrived.recipients) == ("second@b.example", (kept,))
