"""The edges of blocks: every byte at every place, every length, and no byte beyond the buffer."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec import oracles
from tests.codec.test_encodings import RELAXED, TEXT
from tests.support.guarded import Guarded

LONGEST = 200
#: No kernel takes more than this in a step of its widest loop.
SEVERAL_STEPS = 700
SIZES = (*range(LONGEST), *range(LONGEST, SEVERAL_STEPS, 3))
GROUNDS = {
    "plain": b"a",
    "lines": b"some text\r\n",
    "LF": b"some text\n",
    "dots": b".\r\n",
    "UTF-8": "é".encode(),
}
TELLING = b"\0\t\n\r .=F~\x7f\x80\xc3\xff"
#: Bodies of stretches that suit different ways of a kernel, longer than any of its blocks.
STRETCHES = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"word ", b"a line of text\r\n", b"line\n", b".\r\n", b"\n", b"\r",
                         b"\r.", "é".encode(), b"=", b"\0", b"From ", b"x" * 70 + b"\n"]),
        st.integers(1, 90),
    ).map(lambda piece: piece[0] * piece[1]) | TEXT,
    max_size=8,
).map(b"".join)  # fmt: skip


@cache
def body(ground: str, size: int) -> bytes:
    """Give a ground repeated to a size."""
    return (GROUNDS[ground] * size)[:size]


def check_all(codec: SimpleNamespace, data: bytes) -> None:
    """Hold each function against what gives the same by other means."""
    assert codec.encode_base64(data) == oracles.base64_lines(data)
    assert codec.normalize_newlines(data) == oracles.normalized(data)
    assert codec.dot_stuff(data) == oracles.stuffed(data)
    assert tuple(codec.survey(data)) == oracles.surveyed(data)
    oracles.check_quoted_printable(codec.encode_quoted_printable(data), data)


@pytest.mark.parametrize("part", range(8))
def test_any_byte_at_any_place_of_a_block(codec: SimpleNamespace, part: int) -> None:
    plain = bytearray(body("plain", LONGEST))
    for place in range(part, LONGEST, 8):
        for value in range(256):
            plain[place] = value
            data = bytes(plain)
            assert codec.encode_base64(data) == oracles.base64_lines(data)
            assert codec.dot_stuff(data) == oracles.stuffed(data)
        for value in TELLING:
            plain[place] = value
            check_all(codec, bytes(plain))
        plain[place] = ord("a")


@pytest.mark.parametrize("ground", GROUNDS)
def test_any_length_with_any_telling_byte_at_its_end(codec: SimpleNamespace, ground: str) -> None:
    check_all(codec, b"")
    for size in range(1, LONGEST):
        for value in TELLING:
            check_all(codec, body(ground, size - 1) + bytes([value]))


@RELAXED
@given(data=STRETCHES)
def test_text_that_changes_on_the_way(codec: SimpleNamespace, data: bytes) -> None:
    check_all(codec, data)


@pytest.mark.parametrize("ground", GROUNDS)
def test_no_byte_beyond_the_source_is_read(codec: SimpleNamespace, ground: str) -> None:
    memory = Guarded(SEVERAL_STEPS)
    for size in SIZES:
        data = body(ground, size)
        for source in (memory.at_end(data), memory.at_start(data)):
            assert codec.encode_base64(source) == oracles.base64_lines(data)
            assert codec.dot_stuff(source) == oracles.stuffed(data)
            assert codec.normalize_newlines(source) == oracles.normalized(data)
            assert codec.survey(source) == codec.survey(data)
            assert codec.encode_quoted_printable(source) == codec.encode_quoted_printable(data)
            assert codec.LineBuffer().feed(source) == codec.LineBuffer().feed(data)
            assert codec.ReplyParser().feed(source[:0]) == []


@pytest.mark.parametrize("ground", GROUNDS)
def test_no_byte_beyond_the_buffer_is_written(codec: SimpleNamespace, ground: str) -> None:
    memory = Guarded(2 * SEVERAL_STEPS + 5)
    for size in SIZES:
        data = body(ground, size)
        for function, wanted, room in (
            (codec.encode_base64_into, oracles.base64_lines(data), 0),
            (codec.dot_stuff_into, oracles.stuffed(data), 2 * size + 5),
            (codec.normalize_newlines_into, oracles.normalized(data), 2 * size),
        ):
            for target in (
                memory.at_end(room or len(wanted)),
                memory.at_start(room or len(wanted)),
            ):
                assert function(data, target) == len(wanted)
                assert target[: len(wanted)] == wanted


@pytest.mark.parametrize("rest", [b"b\n", b"b\r\n", b"b\r", b".\n"])
def test_a_crlf_anywhere_before_other_text(codec: SimpleNamespace, rest: bytes) -> None:
    for place in range(300):
        data = b"a" * place + b"\r\n" + rest * 200
        assert tuple(codec.survey(data)) == oracles.surveyed(data)
        assert codec.dot_stuff(data) == oracles.stuffed(data)


def test_replies_are_read_to_the_end_of_the_memory_and_no_further(codec: SimpleNamespace) -> None:
    memory = Guarded(LONGEST)
    wire = b"250-first\r\n250 second\r\n550 5.1.1 no\r\n354\r\n" * 4
    for size in range(LONGEST - 30):
        whole = codec.ReplyParser()
        expected = whole.feed(wire[:size]) + whole.feed(wire[size:])
        parser = codec.ReplyParser()
        assert parser.feed(memory.at_end(wire[:size])) + parser.feed(wire[size:]) == expected
