"""A message of the library's own: its commands, and its portions."""

from __future__ import annotations

from typing import Any

import pytest

from smtps.dialogue.transaction import Transaction
from smtps.envelope import Envelope, Recipient
from smtps.errors import TooLarge
from smtps.wire.capabilities import Capabilities
from smtps.wire.content import Content

CONTENT = b"Subject: x\r\n\r\ny\r\n"


def offering(*lines: str) -> Capabilities:
    return Capabilities.parse(("relay", *lines))


def transaction(content: Any = CONTENT, people: int = 3, **options: Any) -> Transaction:
    recipients = [f"r{number}@y.example" for number in range(people)]
    envelope = Envelope("a@b.example", recipients)
    return Transaction(envelope, Content(content), **options)


def test_recipients_without_options_have_none_where_reports_are_offered() -> None:
    for offers in (offering(), offering("DSN")):
        assert transaction(people=2).rcpts(offers) == [
            b"RCPT TO:<r0@y.example>\r\n",
            b"RCPT TO:<r1@y.example>\r\n",
        ]


def test_a_message_alone_is_the_first() -> None:
    assert transaction().index == 0


@pytest.mark.parametrize(("people", "is_special"), [(1, False), (2, True)])
def test_only_one_of_several_recipients_can_hold_a_message_back(
    people: int, is_special: bool
) -> None:
    assert transaction(people=people, required=[0]).is_special is is_special


def test_options_of_a_recipient_are_sent_where_reports_are_offered() -> None:
    one = transaction(people=2, rcpt_options={1: "NOTIFY=NEVER"})
    assert one.rcpts(offering("DSN"))[1] == b"RCPT TO:<r1@y.example> NOTIFY=NEVER\r\n"
    assert one.rcpts(offering())[1] == b"RCPT TO:<r1@y.example>\r\n"
    assert one.omitted(offering()) == ["r1@y.example"]
    assert one.omitted(offering("DSN")) == []


@pytest.mark.parametrize(
    ("options", "is_special"),
    [
        ({}, False),
        ({"required": [0]}, True),
        ({"rcpt_options": {0: "X=1"}}, True),
        ({"verb": "SEND FROM"}, True),
    ],
)
def test_a_message_with_commands_of_its_own_is_special(
    options: dict[str, Any], is_special: bool
) -> None:
    assert transaction(**options).is_special is is_special


@pytest.mark.parametrize(
    ("data", "lines", "parameters"),
    [
        (CONTENT, (), b""),
        (CONTENT, ("8BITMIME",), b""),
        (b"\xe4\r\n", ("8BITMIME",), b" BODY=8BITMIME"),
        (b"\xe4\r\n", (), b""),
        ([b"x"], ("8BITMIME",), b" BODY=8BITMIME"),
        (CONTENT, ("SIZE 17",), b" SIZE=17"),
        (CONTENT, ("SIZE",), b" SIZE=17"),
    ],
)
def test_mail_tells_the_size_and_the_bits_where_that_is_offered(
    data: Any, lines: tuple[str, ...], parameters: bytes
) -> None:
    line = transaction(data).mail(offering(*lines))
    assert line == b"MAIL FROM:<a@b.example>" + parameters + b"\r\n"


def test_what_is_larger_than_the_server_takes_is_refused_here() -> None:
    with pytest.raises(TooLarge):
        transaction().mail(offering("SIZE 16"))


def test_content_that_depends_on_the_server_is_made_for_it() -> None:
    made = []

    def make(capabilities: Capabilities) -> Content:
        made.append(capabilities)
        return Content(CONTENT if capabilities.eight_bit_mime else b"plain")

    one = Transaction(Envelope("a@b.example", ["x@y.example"]), make)
    assert one.content.whole == b"plain"
    offers = offering("8BITMIME")
    assert one.compose(offers).whole == CONTENT
    assert one.content.whole == CONTENT
    assert made == [Capabilities(), offers]


def test_a_portion_keeps_all_but_the_other_recipients() -> None:
    whole = Transaction(
        Envelope(
            "a@b.example",
            [Recipient(f"r{number}@y.example") for number in range(3)],
            smtputf8=True,
            ret="HDRS",
            envid="id",
            requiretls=True,
            deliver_by=60,
            priority=3,
        ),
        Content(CONTENT),
        required=[0, 2],
        message_id="<x@id>",
        index=7,
        verb="SEND FROM",
        rcpt_options={0: "X=0", 2: "X=2"},
    )
    part = whole.portion([1, 2])
    assert part.addresses == ("r1@y.example", "r2@y.example")
    assert (part.message_id, part.index, part.verb) == ("<x@id>", 7, "SEND FROM")
    assert set(part.required) == {1}
    assert part.rcpt_options == {1: "X=2"}
    assert part.content is whole.content
    envelope = part.envelope
    assert (envelope.sender, envelope.smtputf8, envelope.ret, envelope.envid) == (
        "a@b.example",
        True,
        "HDRS",
        "id",
    )
    assert (envelope.requiretls, envelope.deliver_by, envelope.priority) == (True, 60, 3)
