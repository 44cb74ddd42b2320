"""A composed message as it is put into chunks."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.errors import BadValue
from smtps.mime.message import Message
from smtps.mime.rendering import Rendering
from smtps.mime.transfer import Offer
from smtps.tray import Tray

LARGE = bytes(range(256)) * 300


def with_files(*sources: bytes | Path | io.BytesIO) -> Message:
    message = Message(from_="a@b.example", to="x@y.example", text="Grüße\n")
    for source in sources:
        message.attach(source, name="a.bin")
    return message


def poured(rendering: Rendering, size: int) -> list[bytes]:
    tray = Tray(size)
    chunks = [bytes(tray.take(b"")) for _ in rendering.pour(tray)]
    return [*chunks, bytes(tray.take(b""))]


@given(
    st.lists(st.binary(max_size=200).map(lambda tail: LARGE + tail), max_size=2),
    st.sampled_from([78, 79, 155, 1000, 4096, 1 << 18]),
    st.booleans(),
)
def test_chunks_are_the_message_whatever_their_size(
    files: list[bytes], size: int, binary: bool
) -> None:
    rendering = with_files(*files).rendering(Offer(eight_bit=True, binary=binary))
    chunks = poured(rendering, size)
    assert b"".join(chunks) == rendering.whole()
    # A line of base64 is not cut.
    assert all(size - 78 < len(chunk) <= size for chunk in chunks[:-1])
    assert chunks[-1]


@pytest.mark.parametrize("kind", ["path", "file"])
@pytest.mark.parametrize("change", [b"", LARGE[:-1], LARGE + b"x"])
def test_a_file_that_changes_between_chunks_ends_the_message(
    kind: str, change: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(LARGE)
    with path.open("rb") as file:
        message = with_files(path if kind == "path" else file)  # type: ignore[arg-type]
        tray = Tray(1000)
        steps = message.rendering().pour(tray)
        next(steps)
        tray.take(b"")
        path.write_bytes(change)
        with pytest.raises(BadValue, match="attach"):
            [tray.take(b"") for _ in steps]


def test_a_file_is_read_by_its_own_method() -> None:
    class Upper(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size).upper()

    rendering = with_files(Upper(b"x" * 70_000)).rendering(Offer(binary=True))
    assert b"X" * 70_000 in b"".join(poured(rendering, 4096))
