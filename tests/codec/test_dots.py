"""Dot-stuffing and newlines: only CRLF on the wire, and no way to end DATA early."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.codec.test_encodings import TEXT, pieces

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)


def unstuff(wire: bytes) -> bytes:
    """Read DATA as a strict server does; written apart from the encoder."""
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    body = lines[:-2]
    assert b"." not in body, "the content ended early"
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in body)


@RELAXED
@given(data=TEXT)
def test_what_a_server_reads_is_the_text_with_crlf(codec: SimpleNamespace, data: bytes) -> None:
    wire = codec.dot_stuff(data)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    wanted = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    assert unstuff(wire) == (wanted if wanted.endswith(b"\r\n") or not wanted else wanted + b"\r\n")


@RELAXED
@given(data=TEXT, cuts=st.lists(st.integers(0, 20), max_size=30))
def test_any_cut_gives_the_same_bytes(codec: SimpleNamespace, data: bytes, cuts: list[int]) -> None:
    stuffer = codec.DotStuffer()
    for _ in range(2):
        found = b"".join([stuffer.update(piece) for piece in pieces(data, cuts)])
        assert found + stuffer.finish() == codec.dot_stuff(data)


def test_a_dot_after_a_chunk_boundary_is_doubled(codec: SimpleNamespace) -> None:
    stuffer = codec.DotStuffer()
    assert stuffer.update(b"a\r") + stuffer.update(b"\n") + stuffer.update(b".") == b"a\r\n.."


@pytest.mark.parametrize(
    "text", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\n", b"\r\n.\r", b"\r\n.\n", b"\r\n.\0\r\n"]
)
def test_smuggled_ends_stay_inside_the_message(codec: SimpleNamespace, text: bytes) -> None:
    wire = codec.dot_stuff(b"body" + text + b"MAIL FROM:<evil@x.example>\r\n")
    assert wire.count(b"\r\n.\r\n") == 1
    assert wire.endswith(b"\r\n.\r\n")


@RELAXED
@given(data=TEXT)
def test_normalizing_twice_changes_nothing(codec: SimpleNamespace, data: bytes) -> None:
    once = codec.normalize_newlines(data)
    assert once == re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    assert codec.normalize_newlines(once) == once


def test_nothing_gives_a_lone_dot(codec: SimpleNamespace) -> None:
    assert codec.dot_stuff(b"") == codec.DotStuffer().finish() == b".\r\n"
