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


def test_a_file_of_just_the_limit_is_loaded_whole(tmp_path: Path) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(b"12345")
    assert Content(path).load(5) == b"12345"
    assert Content(path).load(4) is None
    assert Content(b"12345").load(5) == b"12345"
    assert Content(b"12345").load(4) is None


def test_a_file_has_the_size_of_what_is_left_of_it() -> None:
    file = io.BytesIO(b"12345")
    assert Content(file).size == 5
    file.seek(3)
    assert Content(file).size == 2
    file.seek(5)
    assert Content(file).size == 0
    file.seek(9)
    assert Content(file).size is None


def test_content_of_another_kind_is_named() -> None:
    with pytest.raises(BadValue, match=r"^content: expected bytes, a path, a file or chunks, not"):
        Content(7)  # type: ignore[arg-type]
