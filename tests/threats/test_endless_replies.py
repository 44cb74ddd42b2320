"""Replies without an end: dotnet 131596, go-smtp 80, and smtplib, which keeps all of it.

A server that never stops is left, in whatever phase, having cost next to no memory. A process of
its own tells its peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count, repeat

import pytest

from smtps.codec import implementation
from smtps.testing import Fault, Sink

PHASES = ["greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".", "RSET", "QUIT"]
KINDS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "a line": lambda code: repeat(b"x" * 65536),
    "a line of a reply": lambda code: _then(b"%d " % code, repeat(b"x" * 65536)),
    "lines": lambda code: repeat(b"%d-x\r\n" % code * 4096),
    "long lines": lambda code: repeat((b"%d-" % code + b"x" * 2000 + b"\r\n") * 32),
    "empty lines": lambda code: repeat(b"%d-\r\n" % code * 8192),
    "replies": lambda code: repeat(b"%d x\r\n" % code * 4096),
    "keywords": lambda code: (
        b"".join(b"%d-X%d\r\n" % (code, 4096 * n + i) for i in range(4096)) for n in count()
    ),
    "newlines": lambda code: repeat(b"\r\n" * 32768),
    "nothing but zeros": lambda code: repeat(bytes(65536)),
}
CODES = {"greeting": 220, "STARTTLS": 220, "AUTH": 334, "DATA": 354, "QUIT": 221}
#: The bytes that a server may get rid of, most of which are buffers of the system.
MOST_SENT = 16 << 20
# asyncio reads 256 KiB at once, 37,000 replies, each of which is an object in plain Python.
MOST_MEMORY = 8 << 20 if implementation == "fast" else 16 << 20

_CLIENT = """
import asyncio, json, sys
from smtps import SMTPS, AsyncSMTPS, Envelope, SMTPSError

ITEM = (Envelope("a@b.example", ["c@d.example"]), b"Subject: x\\r\\n\\r\\nx\\r\\n")
LINES = b"Subject: x\\r\\n\\r\\n" + b"a line of a text that is long\\r\\n" * 256
# More than the buffers of both systems hold.
LARGE, MANY = (ITEM[0], LINES * 2048), [(ITEM[0], LINES)] * 2048
front, what, good, *urls = sys.argv[1:]
single, many = {"small": (ITEM, [ITEM, ITEM]), "large": (LARGE, []), "many": (ITEM, MANY)}[what]

def send(url):
    with SMTPS.from_url(url) as smtp:
        smtp.send(single)
        return list(smtp.send_many(many))

async def send_async(url):
    async with AsyncSMTPS.from_url(url) as smtp:
        await smtp.send(single)
        return [one async for one in smtp.send_many(many)]

def attempt(url):
    try:
        receipts = send(url) if front == "sync" else asyncio.run(send_async(url))
    except SMTPSError as error:
        return len(str(error))
    return sum(len(str(one.error)) for one in receipts if one.error)

def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

attempt(good)
before = peak()
words = [attempt(url) for url in urls]
print(json.dumps({"grown": peak() - before, "words": words}))
"""


def _then(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _all_closed(sink: Sink) -> bool:
    return all(one.closed for one in sink.connections)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("front", ["sync", "async"])
def test_a_server_that_never_stops_is_left_in_little_memory(front: str, kind: str) -> None:
    with ExitStack() as stack:
        sinks = [stack.enter_context(Sink(tls="starttls", users={"joe": "secret"}))]
        for phase in PHASES:
            endless = KINDS[kind](CODES.get(phase, 250))
            sink = Sink(tls="starttls", users={"joe": "secret"})
            sink.add_fault(Fault(on=phase, reply=endless))
            sinks.append(stack.enter_context(sink))
        output = subprocess.run(
            [sys.executable, "-c", _CLIENT, front, "small", *(sink.url for sink in sinks)],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        told = json.loads(output)
        assert told["grown"] < MOST_MEMORY
        # QUIT and RSET come when all is done; what is wrong there is nobody's error.
        assert all(0 < words < 2000 for words in told["words"][:-2])
        for sink in sinks:
            sink.wait_until(partial(_all_closed, sink))
            assert max(one.sent for one in sink.connections) < MOST_SENT


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["a line", "lines", "replies"])
@pytest.mark.parametrize("what", ["large", "many"])
@pytest.mark.parametrize("front", ["sync", "async"])
def test_one_that_talks_on_while_content_is_sent_is_left_long_before_the_timeout(
    front: str, what: str, kind: str
) -> None:
    endless = KINDS[kind](250)
    with Sink() as good, Sink(faults=[Fault(received=200_000, nth=1, reply=endless)]) as evil:
        # It does not read meanwhile, so that a client that writes on waits for it.
        output = subprocess.run(
            [sys.executable, "-c", _CLIENT, front, what, good.url, f"{evil.url}&timeout=600"],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        told = json.loads(output)
        assert told["grown"] < MOST_MEMORY
        if what == "large":
            # Of many those that it had not taken go out over another connection.
            assert 0 < told["words"][0] < 2000
        assert max(one.sent for one in evil.connections) < MOST_SENT
