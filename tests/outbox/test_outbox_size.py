"""Messages and folders of any size go through a queue in bounded memory."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from smtps import (
    SMTPS,
    Envelope,
    Outbox,
)
from smtps.spool.folder import Folder
from smtps.testing import Sink


def test_a_large_message_comes_and_goes_in_constant_memory(outbox: Outbox) -> None:
    size = int(os.environ.get("SMTPS_LARGE_MIB", "24")) << 20

    def chunks() -> Iterator[bytes]:
        for _ in range(size >> 16):
            yield (b"x" * 62 + b"\r\n") * 1024

    with Sink(record=False) as sink, SMTPS.from_url(sink.url) as smtp:
        tracemalloc.start()
        try:
            outbox.put((Envelope("ann@a.example", ["bob@b.example"]), chunks()))
            assert outbox.run(smtp).sent == 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert sink.count == 1
        assert sink.connections[0].received > size
    assert peak < 8 << 20


def test_a_folder_of_any_size_is_walked_in_bounded_memory(tmp_path: Path) -> None:
    # SMTPS_FILES=1000000 makes it a million.
    count = int(os.environ.get("SMTPS_FILES", "20000"))
    for number in range(count):
        os.close(os.open(tmp_path / f"{count - number:09}.queued", os.O_CREAT))
    with Folder(tmp_path) as folder:
        tracemalloc.start()
        try:
            first = folder.oldest(".queued", after="", limit=100)
            second = folder.oldest(".queued", after=first[-1], limit=100)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert first + second == [f"{number:09}" for number in range(1, 201)]
    assert peak < 200_000
