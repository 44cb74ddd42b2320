"""Content that mail cannot carry is refused, from wherever it comes."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pytest

from smtps import BadValue
from smtps.tray import Tray
from smtps.wire.content import Composition, Content

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


BUFFERS: dict[str, Callable[[bytes], Any]] = {
    "bytearray": bytearray,
    "array": lambda data: array("B", data),
    "every second byte": lambda data: memoryview(_doubled(data))[::2],
}


def _doubled(data: bytes) -> bytes:
    return bytes(byte for one in data for byte in (one, one))


@pytest.mark.parametrize("kind", BUFFERS)
def test_content_and_its_chunks_may_be_any_buffer(kind: str) -> None:
    message = b"Subject: x\r\n\r\nHello\r\n"
    assert Content(BUFFERS[kind](message)).whole == message
    halves = [BUFFERS[kind](message[:9]), BUFFERS[kind](message[9:])]
    assert b"".join(Content(halves).chunks()) == message


def test_a_mapped_file_is_read_and_not_held(tmp_path: Path) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(b"Subject: x\r\n\r\nHello\r\n")
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        content = Content(mapped)
        assert content.whole is None
        assert b"".join(content.chunks()) == path.read_bytes()


def test_content_of_another_kind_is_named() -> None:
    with pytest.raises(BadValue, match=r"^content: expected bytes, a path, a file or chunks, not"):
        Content(7)  # type: ignore[arg-type]


# --- what is known of it --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\nb", "a\rb"])
def test_text_in_place_of_bytes_is_no_path(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        Content(text)
    assert str(caught.value) == "content: text where bytes or a path are expected; encode it"


@pytest.mark.parametrize(
    ("data", "size", "eight_bit"),
    [
        (b"", 0, False),
        (b"a\r\nb\r\n", 6, False),
        (b"a\nb\n", 6, False),
        (b"a\rb\r", 6, False),
        (b"a\r\nb\rc\nd", 10, False),
        (b"\x7f", 1, False),
        (b"\x80", 1, True),
    ],
)
def test_content_in_memory_has_its_size_on_the_wire(
    data: bytes, size: int, eight_bit: bool
) -> None:
    for source in (data, bytearray(data), memoryview(data)):
        content = Content(source)
        assert (content.whole, content.size) == (data, size)
        assert content.eight_bit is eight_bit


def test_of_what_is_read_later_nothing_is_said() -> None:
    content = Content([b"x"])
    assert (content.whole, content.size, content.eight_bit) == (None, None, None)
    assert content.binary is False


def test_only_what_is_in_memory_or_at_a_path_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    sources = (b"x", tmp_path / "x", str(tmp_path / "x"), io.BytesIO(b"x"), [b"x"])
    contents = [Content(source) for source in sources]
    assert all(content.can_repeat for content in contents)
    for content in contents:
        list(content.chunks())
    assert [content.can_repeat for content in contents] == [True, True, True, False, False]


def test_what_is_not_in_memory_or_a_regular_file_is_not_loaded(tmp_path: Path) -> None:
    assert Content(io.BytesIO(b"x")).load(5) is None
    assert Content([b"x"]).load(5) is None
    assert Content(tmp_path).load(1 << 30) is None


class Unready(io.RawIOBase):
    """A file that does not wait for what comes, as the standard library has them."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: object, /) -> int | None:
        return None


def test_a_file_that_has_nothing_yet_is_not_taken_for_its_end() -> None:
    for file in (Unready(), io.BufferedReader(Unready())):
        with pytest.raises(BadValue, match="content: the file has nothing yet and does not wait"):
            list(Content(file).chunks())


def test_chunks_of_text_are_named() -> None:
    with pytest.raises(BadValue) as caught:
        list(Content(["x"]).chunks())  # type: ignore[list-item]
    assert str(caught.value) == "content: expected chunks of bytes, not str"


def test_a_file_of_text_is_told_how_to_be_opened() -> None:
    with pytest.raises(BadValue) as caught:
        list(Content(io.StringIO("x")).chunks())  # type: ignore[arg-type]
    assert str(caught.value) == 'content: the file gives text; open it with mode "rb"'


@pytest.mark.parametrize("kind", ["memory", "file", "path", "text behind headers"])
def test_large_content_comes_in_chunks_of_64_kib(kind: str, tmp_path: Path) -> None:
    data = bytes(range(1, 128)) * 1200
    path = tmp_path / "large"
    path.write_bytes(data)
    if kind == "text behind headers":
        _, section, _ = Composition(b"H: x\r\n\r\n", data, [Content([b""])]).sections()
        chunks = list(section.chunks)
    else:
        source: Any = {"memory": data, "file": io.BytesIO(data), "path": path}[kind]
        chunks = list(Content(source).chunks())
    assert b"".join(chunks) == data
    assert [len(chunk) for chunk in chunks] == [65536, 65536, len(data) - 131072]


def poured(content: Content) -> bytes:
    tray = Tray(16)
    taken = b""
    for _ in content.pour(tray):
        taken += bytes(tray.take(b""))
    return taken + bytes(tray.take(b""))


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (b"a\nb\rc\r\nd", b"a\r\nb\r\nc\r\nd\r\n"),
        (b"", b""),
        (b"x" * 70 + b"\n", b"x" * 70 + b"\r\n"),
    ],
)
def test_content_is_poured_with_its_newlines_and_its_last_line_ended(
    data: bytes, wire: bytes
) -> None:
    assert poured(Content(data)) == wire
    assert poured(Content([data[:1], data[1:]])) == wire


def test_progress_is_told_of_all_content_in_one() -> None:
    (section,) = Content(b"abc").sections()
    assert (section.size, b"".join(section.chunks), section.told) == (3, b"abc", True)


# --- of several parts -----------------------------------------------------------------------------


def test_a_composition_in_memory_is_one_whole() -> None:
    content = Composition(b"H: x\r\n\r\n", b"text\n")
    whole = b"H: x\r\n\r\ntext\n"
    assert (content.whole, content.size, content.eight_bit) == (whole, len(whole) + 1, False)
    assert content.can_repeat
    assert content.load(len(whole)) == whole
    assert b"".join(content.chunks()) == whole


def test_a_composition_with_streams_is_headers_text_and_each_stream_in_order() -> None:
    streams = [Content(b"one"), Content(io.BytesIO(b"two"))]
    content = Composition(b"H: x\r\n\r\n", b"text", streams)
    parts = [(part.size, b"".join(part.chunks), part.told) for part in content.sections()]
    assert parts == [
        (8, b"H: x\r\n\r\n", False),
        (4, b"text", True),
        (3, b"one", True),
        (3, b"two", True),
    ]


def test_a_composition_with_streams_is_read_once_and_not_in_memory() -> None:
    content = Composition(b"H: x\r\n\r\n", b"text", [Content(io.BytesIO(b"stream"))])
    assert (content.whole, content.size) == (None, 18)
    assert not content.can_repeat
    assert content.load(100) is None
    assert b"".join(content.chunks()) == b"H: x\r\n\r\ntextstream"


def test_a_composition_without_text_has_no_part_for_it() -> None:
    content = Composition(b"H: x\r\n\r\n", b"", [Content(b"one")])
    assert [part.size for part in content.sections()] == [8, 3]


def test_a_stream_without_a_size_leaves_the_whole_without_one() -> None:
    content = Composition(b"H: x\r\n\r\n", b"text", [Content(b"one"), Content([b"two"])])
    assert content.size is None


@pytest.mark.parametrize(("text", "eight_bit"), [(b"text", None), (b"\xe4", True)])
def test_a_stream_may_hold_any_byte(text: bytes, eight_bit: bool | None) -> None:
    assert Composition(b"", text, [Content(b"one")]).eight_bit is eight_bit


def test_closing_a_composition_closes_what_it_owns_and_nothing_else() -> None:
    owned, other = io.BytesIO(b"x"), io.BytesIO(b"y")
    content = Composition(b"", b"", [Content(owned), Content(other)], [owned])
    content.close()
    assert (owned.closed, other.closed) == (True, False)
    kept = io.BytesIO(b"x")
    Content(kept).close()
    assert not kept.closed


def test_a_file_that_has_another_size_than_it_had_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "letter.eml"
    path.write_bytes(b"12345")
    content = Content(path)
    path.write_bytes(b"123")
    with pytest.raises(BadValue, match="content: its size changed from 5 bytes"):
        content.load(5)


def test_of_what_is_no_regular_file_no_size_is_known() -> None:
    assert Content(os.devnull).size is None
