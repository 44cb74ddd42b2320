"""What strikes the queue and has no other place: a disk that takes a few bytes at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from smtps import SMTPS, Envelope, Outbox
from smtps.testing import Sink

ITEM = (Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\n" + b"a line\r\n" * 500)


def test_a_disk_that_writes_a_few_bytes_at_a_time_tears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, lengths = os.pwrite, []

    def write_some(descriptor: int, data: Any, place: int) -> int:
        lengths.append(len(data))
        return write(descriptor, bytes(memoryview(data)[:7]), place)

    outbox = Outbox(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", write_some)
        outbox.put(ITEM)
    assert max(lengths) > 1000
    with Sink() as sink:
        assert outbox.run(SMTPS.from_url(sink.url)).sent == 1
        assert bytes(sink.messages[0].content) == ITEM[1]
