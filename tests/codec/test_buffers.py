"""Functions that write to a buffer of the caller, and encoders that do so chunk by chunk."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.codec.test_encodings import RELAXED, TEXT, pieces

TWINS = [
    ("encode_base64_into", "encode_base64"),
    ("dot_stuff_into", "dot_stuff"),
    ("normalize_newlines_into", "normalize_newlines"),
]
CHUNKED = [("Base64Encoder", "encode_base64"), ("DotStuffer", "dot_stuff")]
#: More than one step of any function, and more than it does while others wait.
LARGE = 300_000


@pytest.mark.parametrize(("into", "plain"), TWINS)
@RELAXED
@given(data=TEXT)
def test_a_buffer_gets_the_same_bytes(
    codec: SimpleNamespace, into: str, plain: str, data: bytes
) -> None:
    buffer = bytearray(b"\xee" * (2 * len(data) + 90))
    wanted = getattr(codec, plain)(data)
    assert getattr(codec, into)(data, buffer) == len(wanted)
    assert buffer[: len(wanted)] == wanted


@pytest.mark.parametrize(("into", "plain"), TWINS)
def test_a_buffer_that_is_too_small_stays_as_it_was(
    codec: SimpleNamespace, into: str, plain: str
) -> None:
    data = b".\n" * 100
    for room in (0, 1, 199, 204):
        buffer = bytearray(b"\xee" * room)
        with pytest.raises(ValueError, match=f"holds {room} bytes, and .* are needed"):
            getattr(codec, into)(data, buffer)
        assert buffer == b"\xee" * room


@pytest.mark.parametrize(("into", "plain"), TWINS)
def test_a_buffer_that_cannot_be_written_is_refused(
    codec: SimpleNamespace, into: str, plain: str
) -> None:
    for buffer in (bytes(90), memoryview(bytearray(180))[::2]):
        with pytest.raises(BufferError):
            getattr(codec, into)(b"text", buffer)
    with pytest.raises(TypeError):
        getattr(codec, into)(b"text", "buffer")


@pytest.mark.parametrize(("into", "plain"), TWINS)
def test_a_buffer_may_be_that_of_the_source(codec: SimpleNamespace, into: str, plain: str) -> None:
    data = b"some\n.text\r" * 50
    buffer = bytearray(data + bytes(1000))
    wanted = getattr(codec, plain)(data)
    with memoryview(buffer) as view:
        assert getattr(codec, into)(view[: len(data)], view) == len(wanted)
    assert buffer[: len(wanted)] == wanted


@pytest.mark.parametrize(("name", "plain"), CHUNKED)
@RELAXED
@given(data=TEXT, cuts=st.lists(st.integers(0, 80), max_size=20))
def test_chunks_into_a_buffer_give_the_same_bytes(
    codec: SimpleNamespace, name: str, plain: str, data: bytes, cuts: list[int]
) -> None:
    encoder: Any = getattr(codec, name)()
    buffer = bytearray(2 * len(data) + 90)
    found = b""
    for piece in pieces(data, cuts):
        size = encoder.update_into(piece, buffer)
        found += buffer[:size]
    assert found + encoder.finish() == getattr(codec, plain)(data)


@pytest.mark.parametrize(("name", "plain"), CHUNKED)
def test_a_chunk_for_which_the_buffer_is_too_small_was_not_taken(
    codec: SimpleNamespace, name: str, plain: str
) -> None:
    data = b".\r" * 60
    encoder: Any = getattr(codec, name)()
    with pytest.raises(ValueError, match="are needed"):
        encoder.update_into(data, bytearray(70))
    buffer = bytearray(240)
    size = encoder.update_into(data, buffer)
    assert bytes(buffer[:size]) + encoder.finish() == getattr(codec, plain)(data)


@pytest.mark.parametrize("pattern", [b"\n", b"\r.", b"x" * 70 + b"\n", b".\r\n", b"\xff"])
def test_large_data_is_encoded_whole(codec: SimpleNamespace, pattern: bytes) -> None:
    small, count = pattern * 64, LARGE // len(pattern) // 64
    data = small * count
    assert codec.normalize_newlines(data) == codec.normalize_newlines(small) * count
    stuffed = codec.DotStuffer().update(small)
    assert codec.DotStuffer().update(data) == stuffed * count
    assert codec.encode_base64(data * 57) == codec.encode_base64(small * 57) * count
    survey, of_small = codec.survey(data), codec.survey(small)
    assert survey[1:] == tuple(count * number for number in of_small[1:])
