"""What follows the text of the classic message: a stream, or an attached file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from smtps.errors import BadValue, SenderRefused
from smtps.testing import Fault, Sink
from tests.support.classic import fill, sent
from tests.support.fronts import Front


@pytest.mark.parametrize(
    ("text", "arrives"),
    [
        ("", b"one\r\n.two\r\n"),
        ("text\r\n", b"text\r\none\r\n.two\r\n"),
        ("text", b"text\r\n\r\none\r\n.two\r\n"),
    ],
)
def test_a_stream_follows_the_text(front: Front, text: str, arrives: bytes) -> None:
    stream = io.BytesIO(b"skipped\none\n.two\n")
    stream.seek(8)
    with Sink() as sink:
        smtp = fill(front.at(sink.url), message_text=text)
        smtp.set_message_stream(stream)
        front.send(smtp)
    assert sink.messages[0].content.partition(b"\r\n\r\n")[2] == arrives
    assert stream.closed


def test_a_stream_stays_open_if_that_is_set(front: Front) -> None:
    stream = io.BytesIO(b"one\n")
    with Sink() as sink:
        smtp = fill(front.at(sink.url))
        smtp.settings.close_stream_after_transfer = False
        smtp.set_message_stream(stream)
        front.send(smtp)
    assert not stream.closed


def test_a_stream_is_closed_after_a_failure_too(front: Front) -> None:
    stream = io.BytesIO(b"one\n")
    with Sink(faults=[Fault(on="MAIL", reply="550 no")]) as sink:
        smtp = fill(front.at(sink.url))
        smtp.set_message_stream(stream)
        with pytest.raises(SenderRefused):
            front.send(smtp)
    assert stream.closed


def test_a_stream_that_was_sent_is_forgotten(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), message_text="text\r\n")
        smtp.set_message_stream(io.BytesIO(b"stream\n"))
        front.send(smtp)
        front.send(smtp)
    assert sink.messages[1].content.endswith(b"\r\n\r\ntext\r\n")


def test_no_message_goes_without_the_stream_that_a_failure_closed(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="451 later")]) as sink:
        smtp = fill(front.at(sink.url), message_text="text\r\n")
        smtp.set_message_stream(io.BytesIO(b"stream\n"))
        with pytest.raises(SenderRefused):
            front.send(smtp)
        with pytest.raises(BadValue, match="message_stream: the file is closed; set") as caught:
            front.send(smtp)
        assert (caught.value.code, sink.count) == (302, 0)
        smtp.set_message_stream(None)
        front.send(smtp)
    assert sink.count == 1


def test_a_stream_that_is_closed_already_is_refused(front: Front) -> None:
    stream = io.BytesIO(b"one\n")
    stream.close()
    with pytest.raises(BadValue, match="message_stream: the file is closed") as caught:
        front.make().set_message_stream(stream)
    assert caught.value.code == 302


class Broken(io.RawIOBase):
    """A file on a disk that fails in the middle."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise OSError("the disk is gone")


def test_a_stream_that_fails_while_it_is_read_is_error_302(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), message_text="text\r\n")
        front.connect(smtp)
        smtp.set_message_stream(Broken())
        with pytest.raises(BadValue, match=r"message_stream: .*the disk is gone") as caught:
            front.send(smtp)
        assert caught.value.code == 302
        assert isinstance(caught.value.__cause__, OSError)
        assert not smtp.connected
        smtp.set_message_stream(None)
        front.send(smtp)
    assert sink.count == 1


def test_a_queued_stream_is_closed_and_forgotten(front: Front, tmp_path: Path) -> None:
    stream = io.BytesIO(b"stream\n")
    smtp = fill(front.make(), message_text="text\r\n")
    smtp.set_message_stream(stream)
    front.run(smtp.queue(tmp_path))
    assert stream.closed
    second = front.run(smtp.queue(tmp_path))
    assert b"stream" not in (tmp_path / second).read_bytes()


def test_a_stream_of_text_is_refused(front: Front) -> None:
    with pytest.raises(BadValue, match="rb") as caught:
        front.make().set_message_stream(io.StringIO("text"))
    assert caught.value.code == 302


def test_an_attached_file_follows_the_text(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "more.txt"
    path.write_bytes(b"more\n")
    content = sent(front, message_text="text\n", attached_file=str(path))
    assert content.endswith(b"\r\n\r\ntext\r\nmore\r\n")


def test_an_attached_file_that_cannot_be_read_is_error_302(front: Front, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="attached_file") as caught:
        sent(front, attached_file=str(tmp_path / "none"))
    assert caught.value.code == 302
