"""Lines and replies: the same from any cut, honest about order, bounded in memory."""

from __future__ import annotations

import re
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.errors import ProtocolError
from smtps.reply import Reply
from tests.codec.test_encodings import RELAXED, pieces

WIRE = st.lists(
    st.sampled_from(
        [b"250 ok\r\n", b"250-a\r\n", b"250", b"\r\n", b"\n", b"\r", b"550 5.1.1 no\n", b"x", b"-"]
    ),
    max_size=30,
).map(b"".join)


def parse(codec: SimpleNamespace, data: bytes, cuts: list[int]) -> list[Any]:
    """Feed the pieces; give the replies, then the error's text if there was one."""
    parser = codec.ReplyParser()
    found: list[Any] = []
    for piece in [*pieces(data, cuts), b""]:
        try:
            found += parser.feed(piece)
        except ProtocolError as error:
            return [*found, str(error)]
    return found


@RELAXED
@given(data=WIRE, cuts=st.lists(st.integers(0, 9), max_size=40))
def test_any_cut_gives_the_same_replies_and_the_same_error(
    codec: SimpleNamespace, data: bytes, cuts: list[int]
) -> None:
    whole = parse(codec, data, [])
    assert parse(codec, data, cuts) == whole == parse(codec, data, [1] * len(data))


def test_a_reply_of_several_lines_keeps_each_text(codec: SimpleNamespace) -> None:
    assert codec.ReplyParser().feed(b"250-relay\r\n250-SIZE 10\r\n250 HELP\r\n") == [
        Reply(250, None, ("relay", "SIZE 10", "HELP"))
    ]


def test_a_line_without_text_is_followed_by_others_if_it_says_so(codec: SimpleNamespace) -> None:
    # More of them than a block of any CPU level holds, in front of the last one.
    lines = b"250-\r\n" * 40 + b"250\r\n"
    assert codec.ReplyParser().feed(lines) == [Reply(250, None, ("",) * 41)]


@pytest.mark.parametrize(
    ("line", "enhanced"),
    [
        (b"550 5.1.1 no", "5.1.1"),
        (b"250 2.0.0", "2.0.0"),
        (b"550 4.1.1 other class", None),
        (b"550 5.1.1no", None),
        (b"550 5.1234.1 no", None),
        (b"354 3.0.0 go", None),
    ],
)
def test_an_enhanced_status_opens_the_text(
    codec: SimpleNamespace, line: bytes, enhanced: str | None
) -> None:
    (reply,) = codec.ReplyParser().feed(line + b"\r\n")
    assert reply.enhanced == enhanced
    assert reply.text == line[4:].decode()


@pytest.mark.parametrize(
    "line",
    [
        b"2_0 ok",
        "\uff12\uff15\uff10 ok".encode(),
        b"25",
        b"2500",
        b"250\tok",
        b"199 x",
        b"600 x",
        b"",
        b"ok",
    ],
)
def test_what_is_no_reply_is_refused(codec: SimpleNamespace, line: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a reply"):
        codec.ReplyParser().feed(line + b"\r\n")


def test_a_reply_that_changes_its_code_is_refused(codec: SimpleNamespace) -> None:
    with pytest.raises(ProtocolError, match="began with 250"):
        codec.ReplyParser().feed(b"250-a\r\n550 b\r\n")


def test_replies_before_an_error_are_given_first_and_the_error_stays(
    codec: SimpleNamespace,
) -> None:
    parser = codec.ReplyParser()
    assert len(parser.feed(b"250 ok\r\nboo\r\n")) == 1
    assert parser.pending
    for _ in range(2):
        with pytest.raises(ProtocolError, match="boo"):
            parser.feed(b"250 ok\r\n")


def test_the_server_s_bytes_are_shown_escaped_and_cut(codec: SimpleNamespace) -> None:
    with pytest.raises(ProtocolError) as caught:
        codec.ReplyParser().feed(b"\x1b[2J" + b"x" * 500 + b"\n")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("piece", [b"250-" + b"x" * 1000 + b"\r\n", b"x" * 4096])
def test_a_reply_without_end_is_an_error_in_bounded_memory(
    codec: SimpleNamespace, piece: bytes
) -> None:
    parser = codec.ReplyParser()
    for _ in range(256 * 1024 // len(piece)):
        assert parser.feed(piece) == []
    with pytest.raises(ProtocolError, match="more than 262144 bytes"):
        parser.feed(piece)


def test_a_reply_of_a_thousand_lines_is_an_error(codec: SimpleNamespace) -> None:
    parser = codec.ReplyParser()
    with pytest.raises(ProtocolError, match="1000 lines"):
        parser.feed(b"250-x\r\n" * 1000)


def test_a_long_line_is_cut_and_its_tail_is_no_reply_of_its_own(codec: SimpleNamespace) -> None:
    data = b"250 " + b"x" * 300 + b"250 evil\r\n354 go\r\n"
    assert [(reply.code, len(reply.text)) for reply in codec.ReplyParser(256).feed(data)] == [
        (250, 252),
        (354, 2),
    ]


@RELAXED
@given(
    data=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"abc"]), max_size=40).map(b"".join),
    cuts=st.lists(st.integers(0, 5), max_size=40),
    limit=st.integers(1, 12),
)
def test_lines_are_the_same_for_any_cut(
    codec: SimpleNamespace, data: bytes, cuts: list[int], limit: int
) -> None:
    buffer = codec.LineBuffer(limit)
    found = [line for piece in pieces(data + b"\n", cuts) for line in buffer.feed(piece)]
    wanted = [re.sub(rb"\r\Z", b"", line)[:limit] for line in data.split(b"\n")]
    assert found == wanted


@pytest.mark.parametrize("opening", [b"199", b"600", b"199-", b"600-", b"25x-", b"2 0 "])
def test_a_code_is_from_200_to_599(codec: SimpleNamespace, opening: bytes) -> None:
    assert codec.ReplyParser().feed(b"200 a\r\n599-b\r\n599 c\r\n")[1].code == 599
    with pytest.raises(ProtocolError):
        codec.ReplyParser().feed(opening + b"x\r\n")


def test_eighty_bytes_of_what_is_no_reply_are_shown(codec: SimpleNamespace) -> None:
    for length, shown in ((80, "x" * 80), (81, "x" * 80 + "...")):
        with pytest.raises(ProtocolError) as caught:
            codec.ReplyParser().feed(b"x" * length + b"\r\n")
        assert str(caught.value.reason).endswith(f": {shown}")


def test_a_line_of_just_the_limit_waits_for_its_end(codec: SimpleNamespace) -> None:
    buffer = codec.LineBuffer(4)
    assert buffer.feed(b"abcd\r") == []
    assert buffer.feed(b"\nabcde") == [b"abcd", b"abcd"]


@pytest.mark.parametrize("rest", [b" ok\r\n", b"\r\n", b"-ok\r\n%d ok\r\n"])
@pytest.mark.parametrize(
    ("code", "is_one"), [(199, False), (200, True), (599, True), (600, False), (20, False)]
)
def test_the_codes_of_replies_are_200_to_599(
    codec: SimpleNamespace, code: int, rest: bytes, is_one: bool
) -> None:
    data = b"%d" % code + (rest % code if b"%d" in rest else rest)
    parser = codec.ReplyParser()
    if is_one:
        (reply,) = parser.feed(data)
        assert reply.code == code
    else:
        with pytest.raises(ProtocolError):
            parser.feed(data)


def test_one_byte_of_a_reply_is_pending(codec: SimpleNamespace) -> None:
    parser = codec.ReplyParser()
    assert parser.pending is False
    parser.feed(b"2")
    assert parser.pending is True
    parser.feed(b"50 ok\r\n")
    assert parser.pending is False


def test_a_buffer_whose_constructor_was_not_called_does_no_harm(codec: SimpleNamespace) -> None:
    kind = codec.LineBuffer
    with suppress(AttributeError):
        kind.__new__(kind).feed(b"held")
