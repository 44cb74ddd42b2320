"""Composed messages on their way: encoded as the server takes them, files read as they go."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.message import Message as LegacyMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

import smtps
from smtps import (
    SMTPS,
    AddressError,
    BadValue,
    Envelope,
    Mailing,
    Message,
    Recipient,
)
from smtps.errors import TooLarge
from smtps.testing import ALL_EXTENSIONS, Sink
from tests.support.fronts import Front

ENVELOPE = Envelope("a@b.example", ["x@y.example"])


def make(**changes: Any) -> Message:
    fields: dict[str, Any] = {"from_": "a@b.example", "to": "x@y.example", "text": "Grüße"}
    return Message(**fields | changes)


def parsed(sink: Sink) -> Any:
    return message_from_bytes(sink.messages[-1].content, policy=default)


@pytest.mark.parametrize(
    ("extensions", "encoding"), [(ALL_EXTENSIONS, "8bit"), (["SIZE"], "base64")]
)
def test_a_text_is_encoded_as_the_server_takes_it(
    front: Front, extensions: list[str], encoding: str
) -> None:
    message = make(bcc="blind@y.example")
    with Sink(extensions=extensions) as sink:
        receipt = front.send(front.at(sink.url), message)
    assert receipt.ok
    assert receipt.message_id == message.message_id
    assert sink.messages[0].recipients == ("x@y.example", "blind@y.example")
    assert parsed(sink)["Content-Transfer-Encoding"] == encoding
    assert parsed(sink).get_content().strip() == "Grüße"


def test_a_file_is_read_as_it_goes_and_its_size_is_announced(front: Front, tmp_path: Path) -> None:
    data = os.urandom(400_000)
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    message = make()
    message.attach(path)
    with Sink() as sink:
        assert front.send(front.at(sink.url), message).ok
    (attached,) = parsed(sink).iter_attachments()
    assert attached.get_content() == data
    assert any(
        f"SIZE={len(sink.messages[0].content)}" in line
        for line in sink.commands
        if line.startswith("MAIL")
    )


def test_a_message_over_the_limit_is_refused_before_mail(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 100_000)
    message = make()
    message.attach(path)
    with Sink(extensions=["SIZE 100000"]) as sink:
        with pytest.raises(TooLarge):
            front.send(front.at(sink.url), message)
    assert not any(line.startswith("MAIL") for line in sink.commands)


def test_a_file_that_shrinks_on_the_way_leaves_no_message(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 4_000_000)
    message = make()
    message.attach(path)
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_transfer = lambda _: path.write_bytes(b"short")
        with pytest.raises(BadValue, match="attach"):
            front.send(smtp, message)
        assert not smtp.connected
    assert sink.count == 0


class Changing(io.BytesIO):
    """A file of a million bytes that is `left` bytes long once its first part was read."""

    def __init__(self, left: int) -> None:
        super().__init__(b"x" * 1_000_000)
        self._left = left

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        here = self.tell()
        self.seek(0)
        self.truncate(0)
        self.write(b"x" * self._left)
        self.seek(here)
        return data


@pytest.mark.parametrize("missing", [[], ["BINARYMIME"], ["BINARYMIME", "CHUNKING"]])
@pytest.mark.parametrize("left", [999_999, 1_000_001, 0])
def test_a_file_that_changes_its_size_fails_its_message_alone(
    front: Front, left: int, missing: list[str]
) -> None:
    offer = [one for one in (*ALL_EXTENSIONS, "BINARYMIME") if one not in missing]
    items = [make() for _ in range(3)]
    items[1].attach(Changing(left), name="a.bin")
    with Sink(extensions=offer) as sink:
        receipts = front.send_many(front.at(sink.url), items)
        assert {receipt.index: receipt.ok for receipt in receipts} == {0: True, 1: False, 2: True}
        (failed,) = [receipt for receipt in receipts if not receipt.ok]
        assert "its size changed from 1000000 bytes" in str(failed.error)
        assert sink.count == 2
        assert all(b"a.bin" not in taken.content for taken in sink.messages)


@pytest.mark.parametrize("offer", [["CHUNKING", "PIPELINING"], ["PIPELINING"], []])
@pytest.mark.parametrize("left", [999_999, 1_000_001, 0])
def test_finished_content_that_changes_its_size_is_never_sent_as_if_it_were_whole(
    front: Front, left: int, offer: list[str]
) -> None:
    items: list[Any] = [(ENVELOPE, b"Subject: x\r\n\r\n")] * 3
    items[1] = ENVELOPE, Changing(left)
    with Sink(extensions=offer) as sink:
        receipts = front.send_many(front.at(sink.url), items)
        assert {receipt.index: receipt.ok for receipt in receipts} == {0: True, 1: False, 2: True}
        (failed,) = [receipt for receipt in receipts if not receipt.ok]
        assert "content: its size changed from 1000000 bytes" in str(failed.error)
        with pytest.raises(BadValue, match="content: its size changed from 1000000 bytes"):
            front.send(front.at(sink.url), (ENVELOPE, Changing(left)))
        assert sink.count == 2


def test_a_file_that_is_cut_while_it_is_sent_is_never_sent_as_if_it_were_whole(
    front: Front, tmp_path: Path
) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(b"Subject: x\r\n\r\n" + b"x" * 3_000_000)

    def cut(event: object) -> None:
        os.truncate(path, 1_000_000)

    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_transfer = cut
        with pytest.raises(BadValue, match="content: its size changed from 3000014 bytes"):
            front.send(smtp, (ENVELOPE, path))
        assert sink.count == 0


def test_an_address_in_utf8_goes_where_that_is_offered(front: Front) -> None:
    with Sink() as sink:
        assert front.send(front.at(sink.url), make(to="bøb@täst.example")).ok
    assert "RCPT TO:<bøb@xn--tst-qla.example>" in sink.commands
    assert "bøb@xn--tst-qla.example".encode() in sink.messages[0].content


def test_a_mailing_sends_each_row_and_a_bad_one_fails_alone(front: Front) -> None:
    template = make(to="{{ mail }}", text="Hello {{ name }}")
    rows = [{"mail": "a@y.example", "name": "A"}, {"mail": "b@y.example"}]
    with Sink() as sink:
        smtp = front.at(sink.url)
        first, second = Mailing(template).for_each(rows)
        assert front.send(smtp, first).ok
        with pytest.raises(BadValue, match="row 1"):
            front.send(smtp, second)
    assert sink.count == 1
    assert parsed(sink).get_content().strip() == "Hello A"


@pytest.mark.parametrize(
    "items",
    [None, 5, "items", b"items", make(), EmailMessage(), (ENVELOPE, b"Subject: x\r\n\r\n")],
    ids=["none", "number", "text", "bytes", "message", "standard message", "finished message"],
)
def test_what_does_not_give_messages_is_told_before_anything_is_sent(
    front: Front, items: Any
) -> None:
    with Sink() as sink:
        with pytest.raises(BadValue, match="items: expected m"):
            front.send_many(front.at(sink.url), items)
        assert not sink.connections


def test_what_only_asyncio_can_wait_for_is_told() -> None:
    async def items() -> AsyncIterator[Message]:
        yield make()

    wrong: Any = items()
    with pytest.raises(BadValue, match=r"items: .*async_generator; AsyncSMTPS takes that"):
        SMTPS().send_many(wrong)


@pytest.mark.parametrize("given", ["q@z.example", Recipient("q@z.example"), ["q@z.example"]])
def test_one_recipient_may_stand_for_a_list_of_one(front: Front, given: Any) -> None:
    item = ENVELOPE, b"Subject: x\r\n\r\n"
    with Sink() as sink:
        assert front.send(front.at(sink.url), item, recipients=given).accepted == ("q@z.example",)


@pytest.mark.parametrize("given", [5, b"q@z.example", [5], []])
def test_recipients_that_are_none_are_refused(front: Front, given: Any) -> None:
    for item in (make(), message_from_bytes(b"From: a@b.example\r\n\r\n", policy=default)):
        with pytest.raises(AddressError, match=r"recipients?: "):
            front.send(front.make(), item, recipients=given)


@pytest.mark.parametrize("name", ["sender", "recipients"])
def test_the_classic_message_has_its_own_envelope(front: Front, name: str) -> None:
    smtp = front.make(from_="a@b.example", send_to="x@y.example")
    with pytest.raises(BadValue, match=f"{name}: goes with an item; here it is"):
        front.send(smtp, **{name: "q@z.example"})


def legacy(**headers: str) -> LegacyMessage:
    """Make a message of the older kind, which takes any header."""
    message = LegacyMessage()
    message["From"], message["To"] = "a@b.example", "x@y.example"
    for name, value in headers.items():
        message[name] = value
    message.set_payload("Hello")
    return message


BREAKS = ["x\nevil", "x\revil", "x\r\nevil", "x\n\nevil", "x\nBcc: v@x.example", "x\n", "x\0y"]


@pytest.mark.parametrize("value", BREAKS)
def test_a_header_of_a_standard_message_that_would_end_its_line_is_named(
    front: Front, value: str
) -> None:
    outer = LegacyMessage()
    outer["From"], outer["To"] = "a@b.example", "x@y.example"
    outer.attach(legacy(**{"Content-Disposition": f'attachment; filename="{value}"'}))
    with Sink() as sink:
        smtp = front.at(sink.url)
        with pytest.raises(BadValue, match="X-A: line end or NUL at position 1 in its value"):
            front.send(smtp, legacy(**{"X-A": value}))
        with pytest.raises(BadValue, match="Content-Disposition: line end or NUL at position"):
            front.send(smtp, outer)
        with pytest.raises(BadValue, match="Content-Disposition: line end or NUL at position"):
            Message.from_email(outer)
        assert not sink.connections


def test_a_header_of_a_standard_message_has_a_name_of_its_own(front: Front) -> None:
    with pytest.raises(BadValue, match=r"header name: 'X-A\\nBcc' is none"):
        front.send(front.make(), legacy(**{"X-A\nBcc": "v@x.example"}))


@pytest.mark.parametrize("fold", ["\n ", "\r\n\t", "\r "])
def test_a_folded_header_of_a_standard_message_goes_out(front: Front, fold: str) -> None:
    with Sink() as sink:
        assert front.send(front.at(sink.url), legacy(Subject=f"Hello{fold}World")).ok
    assert parsed(sink)["Subject"] in ("Hello World", "Hello\tWorld")


def test_nothing_is_no_message() -> None:
    nothing: Any = None
    with pytest.raises(BadValue, match="item: None is no message"):
        smtps.send(nothing, "smtp://mail.example")
