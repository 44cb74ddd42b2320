"""Content that mail cannot carry is refused, from wherever it comes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smtps import BadValue
from smtps.wire.content import Content

WITH_NUL = b"Subject: x\r\n\r\n.\0\r\nMAIL FROM:<evil@x.example>\r\n"

LAZY: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "file": lambda path: io.BytesIO(path.read_bytes()),
    "chunks": lambda path: [b"", path.read_bytes()],
}


def test_a_nul_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BadValue, match="a NUL at byte 15"):
        Content(WITH_NUL)


@pytest.mark.parametrize("kind", LAZY)
def test_a_nul_is_refused_where_it_is_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(WITH_NUL)
    with pytest.raises(BadValue, match="NUL"):
        list(Content(LAZY[kind](path)).chunks())


@pytest.mark.parametrize("kind", LAZY)
def test_every_other_byte_is_given_as_it_is(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.write_bytes(bytes(range(1, 256)))
    content = Content(LAZY[kind](path))
    assert b"".join(content.chunks()) == path.read_bytes()
