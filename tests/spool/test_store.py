"""Putting messages into the folder: all of them, whole and private, or none."""

from __future__ import annotations

import io
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtps import SMTPS, BadValue, Outbox
from smtps.spool.failures import QueueFolderError
from smtps.spool.folder import Folder
from smtps.spool.load import load
from smtps.spool.store import store, sweep
from tests.support.queues import CONTENT, draft, put, states


def read(file: Path) -> bytes:
    with file.open("rb") as opened:
        loaded = load(opened.fileno(), file.stat().st_size)
        opened.seek(loaded.start)
        return opened.read(loaded.end - loaded.start)


def test_a_message_is_one_private_file_that_holds_it_exactly(tmp_path: Path) -> None:
    name = put(tmp_path)
    file = tmp_path / f"{name}.queued"
    assert states(tmp_path) == [".queued"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().endswith(b"\n\n" + CONTENT)
    assert read(file) == CONTENT


@pytest.mark.parametrize(
    "content",
    [
        b"A: b\r\n\r\n" + b"x" * 200_000 + b"\r\n",
        io.BytesIO(b"A: b\n\nfrom a file\n"),
        [b"A: b\r", b"\n\r\nin chunks", b"\r", b"", b"\n\r", b"x\n"],
        b"",
    ],
    ids=["large", "file", "chunks", "empty"],
)
def test_content_of_any_kind_is_kept_with_crlf_line_ends(tmp_path: Path, content: object) -> None:
    if isinstance(content, bytes):
        expected = content
    elif isinstance(content, io.BytesIO):
        expected = b"A: b\r\n\r\nfrom a file\r\n"
    else:
        expected = b"A: b\r\n\r\nin chunks\r\n\r\nx\r\n"
    name = put(tmp_path, content=content)  # type: ignore[arg-type]
    assert read(tmp_path / f"{name}.queued") == expected


def test_a_batch_is_all_there_in_its_order(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        names = store(folder, (draft(content=b"%d\r\n" % number) for number in range(450)))
    assert names == sorted(names)
    assert [file.stem for file in sorted(tmp_path.iterdir())] == names
    assert read(tmp_path / f"{names[449]}.queued") == b"449\r\n"


def test_a_batch_with_one_bad_message_leaves_nothing(tmp_path: Path) -> None:
    def drafts() -> Iterator[object]:
        for _ in range(300):
            yield draft()
        yield draft(content=[b"half of it", "not bytes"])  # type: ignore[list-item]

    with Folder(tmp_path) as folder, pytest.raises(BadValue, match="content: expected chunks"):
        store(folder, drafts())  # type: ignore[arg-type]
    assert states(tmp_path) == []


def test_the_descriptors_of_a_large_batch_are_bounded(tmp_path: Path) -> None:
    most = 0

    def drafts() -> Iterator[object]:
        nonlocal most
        for _ in range(1000):
            most = max(most, len(os.listdir("/proc/self/fd")))
            yield draft()

    before = len(os.listdir("/proc/self/fd"))
    with Folder(tmp_path) as folder:
        store(folder, drafts())  # type: ignore[arg-type]
    assert most < before + 210
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_gibibyte_is_written_and_read_in_constant_memory(tmp_path: Path) -> None:
    size = int(os.environ.get("SMTPS_LARGE_MIB", "64")) << 20

    def chunks() -> Iterator[bytes]:
        line = b"x" * 62 + b"\r\n"
        for _ in range(size >> 16):
            yield line * 1024

    tracemalloc.start()
    name = put(tmp_path, content=chunks())
    file = tmp_path / f"{name}.queued"
    with file.open("rb") as opened:
        loaded = load(opened.fileno(), file.stat().st_size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loaded.end - loaded.start == size
    assert peak < 4 << 20


def test_a_temporary_file_of_a_dead_writer_is_removed_after_a_day(tmp_path: Path) -> None:
    old, new = tmp_path / "1.tmp", tmp_path / "2.tmp"
    for file in (old, new):
        file.write_bytes(b"half of a mess")
    os.utime(old, (0, 0))
    with Folder(tmp_path) as folder:
        sweep(folder)
    assert not old.exists()
    assert new.exists()


def test_the_temporary_file_of_a_living_writer_stays_however_old(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        fd = folder.create("1.tmp")
        os.utime(tmp_path / "1.tmp", (0, 0))
        sweep(folder)
        os.close(fd)
    assert (tmp_path / "1.tmp").exists()


@pytest.mark.parametrize("place", ["missing", "file", ""])
def test_what_is_no_folder_is_refused_with_the_way_out(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = str(tmp_path / place) if place else ""
    with pytest.raises(BadValue, match="queue_dir: "):
        Folder(path)


@pytest.mark.parametrize("path", [None, 5, b"/tmp", "", "a\0b"])
def test_what_is_no_path_is_refused_by_the_name_that_the_caller_has_for_it(path: Any) -> None:
    with pytest.raises(BadValue, match=r"folder: expected .*, not"):
        Outbox(path)
    with pytest.raises(BadValue, match=r"queue_dir: expected .*, not"):
        SMTPS(from_="a@b.example", send_to="x@y.example").queue(path)


def test_a_folder_that_everyone_may_change_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(BadValue, match="chmod o-w"):
        Folder(tmp_path)


def test_a_folder_that_vanished_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    path.mkdir()
    with Folder(path) as folder:
        path.rmdir()
        with pytest.raises(QueueFolderError, match="writing a message failed: No such file"):
            store(folder, [draft()])
