"""A real Postfix over STARTTLS: what arrives is what was given, and its refusals are reported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from smtps import Envelope, RecipientsRefused
from tests.support.fronts import Front
from tests.support.relay import Postfix

CONTENT = (
    b"From: a@b.example\nTo: x@y.example\r\nSubject: x\nMessage-ID: <1@b.example>\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\n\n"
    b".\n..\r.dot\r\n.\r\nMAIL FROM:<evil@x.example>\r\n\r\n8 bits: \xc3\xa4\nno end of line"
)


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """Start one Postfix for the tests of this file."""
    if not Postfix.is_installed():
        reason = "Postfix is not installed: apt-get install postfix"
        if os.environ.get("SMTPS_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    server = Postfix()
    yield server
    server.stop()


def test_a_message_arrives_byte_for_byte(front: Front, postfix: Postfix) -> None:
    before = postfix.sink.count
    smtp = front.at(postfix.url)
    receipt = front.send(smtp, (Envelope("a@b.example", ["x@y.example"]), CONTENT))
    assert receipt.ok
    postfix.sink.wait_for(before + 1, timeout=20)
    message = postfix.sink.messages[-1]
    received, rest = re.split(rb"(?<=\r\n)(?=From: )", message.content, maxsplit=1)
    assert received.startswith(b"Received: ")
    assert b"TLS" in received
    assert rest == re.sub(rb"\r\n|\r|\n", b"\r\n", CONTENT) + b"\r\n"
    assert message.sender == "a@b.example"


def test_refusals_have_the_words_of_postfix(front: Front, postfix: Postfix) -> None:
    before = postfix.sink.count
    smtp = front.at(postfix.url)
    front.connect(smtp)
    assert smtp.capabilities.pipelining
    people = ["gone@y.example", "x@y.example", "later@y.example"]
    receipt = front.send(smtp, (Envelope("a@b.example", people), CONTENT))
    assert receipt.refused == ("gone@y.example",)
    assert receipt.deferred == ("later@y.example",)
    assert receipt.accepted == ("x@y.example",)
    assert receipt.results[0].reply is not None
    assert receipt.results[0].reply.enhanced == "5.1.1"
    postfix.sink.wait_for(before + 1, timeout=20)
    assert postfix.sink.messages[-1].recipients == ("x@y.example",)


def test_a_message_that_nobody_takes_lends_nothing_to_the_next(
    front: Front, postfix: Postfix
) -> None:
    before = postfix.sink.count
    smtp = front.at(postfix.url)
    front.connect(smtp)
    with pytest.raises(RecipientsRefused):
        front.send(smtp, (Envelope("first@b.example", ["gone@y.example"]), CONTENT))
    front.send(smtp, (Envelope("second@b.example", ["x@y.example"]), CONTENT))
    postfix.sink.wait_for(before + 1, timeout=20)
    assert postfix.sink.messages[-1].sender == "second@b.example"
    assert postfix.sink.messages[-1].recipients == ("x@y.example",)
