"""Base64, quoted-printable and the survey, against independent oracles."""

from __future__ import annotations

import base64
import quopri
import re
from array import array
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
TEXT = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b" ", b"=", b"From ", b"a", "é".encode(), b"\0"]),
    max_size=120,
).map(b"".join) | st.binary(max_size=300)


@pytest.mark.parametrize("size", [*range(200), 4096, 70_001])
def test_base64_is_lines_of_76(codec: SimpleNamespace, size: int) -> None:
    data = bytes(number * 7 % 256 for number in range(size))
    assert codec.encode_base64(data) == base64.encodebytes(data).replace(b"\n", b"\r\n")


@RELAXED
@given(data=TEXT, cuts=st.lists(st.integers(0, 80), max_size=20))
def test_base64_is_the_same_for_any_cut(
    codec: SimpleNamespace, data: bytes, cuts: list[int]
) -> None:
    encoder = codec.Base64Encoder()
    found = b"".join([encoder.update(piece) for piece in pieces(data, cuts)]) + encoder.finish()
    assert found == codec.encode_base64(data)


@pytest.mark.parametrize("step", [1, 20, 56, 57, 58, 80, 114])
def test_base64_of_pieces_is_that_of_the_whole(codec: SimpleNamespace, step: int) -> None:
    data = bytes(range(256)) * 2
    encoder = codec.Base64Encoder()
    found = b"".join(encoder.update(data[at : at + step]) for at in range(0, len(data), step))
    assert found + encoder.finish() == codec.encode_base64(data)


@RELAXED
@given(data=TEXT)
def test_quoted_printable_decodes_to_the_text(codec: SimpleNamespace, data: bytes) -> None:
    encoded = codec.encode_quoted_printable(data)
    assert quopri.decodestring(encoded) == re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert not re.search(rb"[^\t -~]", line)


def test_a_soft_break_keeps_a_character_whole(codec: SimpleNamespace) -> None:
    for start in range(24):
        encoded = codec.encode_quoted_printable(b"x" * start + "€😀".encode() * 30)
        for line in encoded.split(b"=\r\n"):
            quopri.decodestring(line).decode()


@RELAXED
@given(data=TEXT)
def test_the_survey_counts_what_is_there(codec: SimpleNamespace, data: bytes) -> None:
    found = codec.survey(data)
    assert found.longest_line == max(map(len, re.split(rb"\r\n|\r|\n", data)))
    assert found.eight_bit == sum(byte > 127 for byte in data)
    assert found.nul == data.count(0)
    assert found.crlf == data.count(b"\r\n")
    assert found.bare_cr == len(re.findall(rb"\r(?!\n)", data))
    assert found.bare_lf == len(re.findall(rb"(?<!\r)\n", data))
    assert found.dots == len(re.findall(rb"(?:\A|\r\n|\r(?!\n)|(?<!\r)\n)\.", data))


FUNCTIONS = ("encode_base64", "dot_stuff", "survey", "normalize_newlines")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_text_is_refused(codec: SimpleNamespace, name: str) -> None:
    with pytest.raises(TypeError):
        getattr(codec, name)("text")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_buffer_is_taken(codec: SimpleNamespace, name: str) -> None:
    function, wanted = getattr(codec, name), getattr(codec, name)(b".a\n.")
    every_second = memoryview(b"._a_\n_._")[::2]
    square = memoryview(b".a\n.").cast("B", [2, 2])
    for data in (bytearray(b".a\n."), array("H", b".a\n."), every_second, square):
        assert function(data) == wanted


@pytest.mark.parametrize("value", ["2048", 1.5, True, 0, None])
@pytest.mark.parametrize("kind", ["LineBuffer", "ReplyParser"])
def test_the_length_of_a_line_is_a_number_that_lines_can_have(
    codec: SimpleNamespace, kind: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=f"max_line_length: expected .*, not {value!r}"):
        getattr(codec, kind)(value)


def test_a_line_may_have_any_length(codec: SimpleNamespace) -> None:
    assert codec.LineBuffer(10**30).feed(b"line\r\n") == [b"line"]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut data into pieces of the given sizes; what is left is the last."""
    found = []
    for cut in cuts:
        found.append(data[:cut])
        data = data[cut:]
    return [*found, data]


def test_base64_needs_78_bytes_for_each_full_line(codec: SimpleNamespace) -> None:
    encoder = codec.Base64Encoder()
    with pytest.raises(ValueError, match="155 bytes"):
        encoder.update_into(b"x" * 120, bytearray(155))
    assert encoder.update_into(b"x" * 120, bytearray(156)) == 156
    assert encoder.update_into(b"x" * 50, bytearray(0)) == 0
