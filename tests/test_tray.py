"""Chunks of content in memory that is used again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtps.tray import Tray, put_all


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_what_is_put_in_comes_out_in_full_chunks_and_a_last_one(
    pieces: list[bytes], size: int
) -> None:
    tray = Tray(size, 4)
    taken: list[bytes] = []
    for piece in pieces:
        taken += (bytes(tray.take(b"<%d>" % tray.filled)) for _ in put_all(piece, tray))
    assert all(chunk.startswith(b"<%d>" % size) and len(chunk) == size + 3 for chunk in taken)
    rest = bytes(tray.take(b""))
    assert b"".join(chunk[3:] for chunk in taken) + rest == b"".join(pieces)


def test_a_full_chunk_is_not_taken_before_something_follows() -> None:
    tray = Tray(4)
    assert list(put_all(b"abcd", tray)) == []
    steps = put_all(b"e", tray)
    next(steps)
    assert bytes(tray.take(b"")) == b"abcd"
    assert list(steps) == []
    assert bytes(tray.take(b"")) == b"e"
