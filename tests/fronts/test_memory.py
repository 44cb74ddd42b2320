"""Large files go out in little memory, in a process of its own that tells its peak."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smtps.codec import implementation
from smtps.testing import Sink

_SIZE = 256 << 20
_LIMIT = 64 << 20
_BASE = ("PIPELINING", "8BITMIME", "SIZE 0")
_OFFERS = {
    "DATA": _BASE,
    "BDAT": (*_BASE, "CHUNKING"),
    "BINARYMIME": (*_BASE, "CHUNKING", "BINARYMIME"),
}

_SENDER = """
import asyncio, json, sys
from smtps import SMTPS, AsyncSMTPS, Message

url, path, method = sys.argv[1:]
message = Message(from_="a@b.example", to="x@y.example", subject="File", text="Hello")
message.attach(path)

async def send_async():
    async with AsyncSMTPS.from_url(url) as smtp:
        return await smtp.send(message)

if method == "async send":
    receipts = [asyncio.run(send_async())]
else:
    with SMTPS.from_url(url) as smtp:
        receipts = [smtp.send(message)] if method == "send" else list(smtp.send_many([message] * 2))
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps({"ok": [one.ok for one in receipts], "peak": int(peak) * 1024}))
"""


def run(url: str, path: Path, method: str) -> dict[str, Any]:
    output = subprocess.run(
        [sys.executable, "-c", _SENDER, url, str(path), method],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    answer: dict[str, Any] = json.loads(output)
    return answer


@pytest.mark.skipif(implementation == "pure", reason="the memory is the same, the time is not")
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("method", ["send", "send_many", "async send"])
@pytest.mark.parametrize("offer", _OFFERS)
def test_a_large_file_goes_out_in_little_memory(tmp_path: Path, offer: str, method: str) -> None:
    file = tmp_path / "large.bin"
    with file.open("wb") as sparse:
        sparse.truncate(_SIZE)
    with Sink(extensions=_OFFERS[offer], record=False) as sink:
        answer = run(sink.url, file, method)
        count = 2 if method == "send_many" else 1
        assert answer["ok"] == [True] * count
        assert sink.count == count
        assert answer["peak"] < _LIMIT
