"""Newlines of content that comes in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.newlines import normalized

PIECES = st.lists(st.text("ab\r\n").map(str.encode))


def expected(pieces: list[bytes]) -> bytes:
    whole = b"".join(pieces)
    return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


@given(PIECES)
def test_newlines_are_the_same_for_any_cut(pieces: list[bytes]) -> None:
    assert b"".join(normalized(pieces)) == expected(pieces)


@given(PIECES)
def test_the_last_line_is_ended_where_that_is_asked_for(pieces: list[bytes]) -> None:
    whole = expected(pieces)
    ending = b"" if not whole or whole.endswith(b"\n") else b"\r\n"
    assert b"".join(normalized(pieces, ended=True)) == whole + ending


@pytest.mark.parametrize(
    "pieces", [[b"a\r", b"\nb\r", b"c"], [b"a\r\nb", b"\rc\n"], [b"a", b"\n", b"b", b"\n", b"c"]]
)
def test_a_newline_that_is_cut_is_one(pieces: list[bytes]) -> None:
    assert b"".join(normalized(pieces, ended=True)) == b"a\r\nb\r\nc\r\n"
