"""Members of the classic component that no other file is about."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import BadValue, Envelope
from smtps.testing import Fault, Sink
from tests.support.fronts import Front

ITEM = (Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\nHello\r\n")


def test_without_extensions_it_says_helo(front: Front) -> None:
    with Sink() as sink:
        front.send(front.at(f"{sink.url}&allow_extensions=false"), ITEM)
    assert sink.commands[0].startswith("HELO ")
    assert "MAIL FROM:<a@b.example>" in sink.commands


def test_hello_is_the_name_in_the_greeting(front: Front) -> None:
    with Sink() as sink:
        front.send(front.at(f"{sink.url}&hello=client.example"), ITEM)
    assert sink.commands[0] == "EHLO client.example"


def test_a_line_longer_than_the_limit_is_cut_there(front: Front) -> None:
    words = b"250-sink.example\r\n250-X" + b"y" * 600 + b"\r\n250 SIZE 1000\r\n"
    with Sink(faults=[Fault(on="EHLO", reply=words)]) as sink:
        smtp = front.at(f"{sink.url}&max_line_length=256")
        front.connect(smtp)
        kept = smtp.last_reply.split("\r\n")[1]
        assert kept == "250-X" + "y" * 251
        assert smtp.capabilities.size == 1000


@pytest.mark.parametrize(
    "options", [{"user": "joe"}, {"ssl_start_mode": 2}, {"user": "joe", "ssl_start_mode": 2}]
)
def test_what_helo_cannot_do_is_said_before_connecting(
    front: Front, options: dict[str, Any]
) -> None:
    with Sink() as sink:
        smtp = front.make(
            mail_server=sink.host,
            mail_port=sink.port,
            allow_extensions=False,
            **{"ssl_start_mode": 3, **options},
        )
        with pytest.raises(BadValue, match="allow_extensions: "):
            front.connect(smtp)
        assert sink.connections == ()
