"""Queue folders for tests: what is in one, and messages for it."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from smtps import Envelope
from smtps.spool.entry import Addressee, Entry
from smtps.spool.folder import Folder
from smtps.spool.store import Draft, store
from smtps.wire.content import Content, Source

__all__ = ["CONTENT", "Clock", "draft", "history", "open_files", "put", "states"]

CONTENT = b"From: ann@a.example\r\nMessage-ID: <1@a.example>\r\n\r\nHello\r\n.\r\nBob\r\n"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def draft(*recipients: str, content: Source = CONTENT, required: bool = False) -> Draft:
    envelope = Envelope("ann@a.example", recipients or ["bob@b.example"])
    addressees = tuple(Addressee(one, None, required) for one in envelope.recipients)
    return Draft(Entry(envelope, addressees, 1795597632.5), Content(content))


def put(path: Path, *recipients: str, content: Source = CONTENT, required: bool = False) -> str:
    """Queue one message, and give its id."""
    with Folder(path) as folder:
        return store(folder, [draft(*recipients, content=content, required=required)])[0]


def states(path: Path) -> list[str]:
    """Give the extensions of all files in a folder, in the order of the names."""
    return [file.suffix for file in sorted(path.iterdir())]


def history(file: Path) -> list[dict[str, Any]]:
    """Give what stands behind the content of a queue file."""
    data = file.read_bytes()
    length = int(data.split(b"X-Content-Length: ")[1].split(b"\n")[0])
    start = data.index(b"\n\n") + 2 + length
    return [json.loads(line) for line in data[start:].splitlines() if line]


def open_files(folder: Path) -> list[str]:
    """Give the files of a folder that this process has open, and so locked."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return [path for path in found if path.startswith(f"{folder}/")]
