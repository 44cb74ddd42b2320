"""Do one thing many times in a fresh process, and print what it left behind.

    python -m tests.support.leaking WHAT COUNT URL REFUSING_URL

It is done COUNT times so that all is warm, then COUNT times more, which is measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from smtps import SMTPS, AsyncPool, AsyncSMTPS, Envelope, Mailing, Message, Pool, SMTPSError

PAGE = os.sysconf("SC_PAGE_SIZE")


class State(NamedTuple):
    """What a process holds."""

    blocks: int
    resident: int
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> State:
        """Look at this one, once all garbage is gone."""
        for _ in range(3):
            gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
        descriptors = len(os.listdir("/proc/self/fd"))
        return cls(sys.getallocatedblocks(), resident, descriptors, threading.active_count())


def item(number: int) -> tuple[Envelope, bytes]:
    """Give a small message of its own."""
    return Envelope("ann@a.example", [f"b{number}@b.example"]), b"Subject: %d\r\n\r\n.\r\n" % number


def send(count: int, url: str, refusing: str) -> None:
    """Send one at a time on one connection, then all at once."""
    with SMTPS.from_url(url) as smtp:
        for number in range(count // 4):
            smtp.send(item(number))
        assert all(receipt.ok for receipt in smtp.send_many(map(item, range(count // 2))))


def asend(count: int, url: str, refusing: str) -> None:
    """Do the same on asyncio."""

    async def run() -> None:
        async with AsyncSMTPS.from_url(url) as smtp:
            for number in range(count // 4):
                await smtp.send(item(number))
            async for receipt in smtp.send_many(map(item, range(count // 2))):
                assert receipt.ok

    asyncio.run(run())


def connect(count: int, url: str, refusing: str) -> None:
    """Connect, send and disconnect."""
    for number in range(count // 50):
        with SMTPS.from_url(url) as smtp:
            smtp.send(item(number))


def pool(count: int, url: str, refusing: str) -> None:
    """Send through several connections, on both fronts."""
    with Pool(url, connections=3) as sync:
        assert all(receipt.ok for receipt in sync.send_many(map(item, range(count))))

    async def run() -> None:
        async with AsyncPool(url, connections=3) as pool:
            async for receipt in pool.send_many(map(item, range(count))):
                assert receipt.ok

    asyncio.run(run())


def compose(count: int, url: str, refusing: str) -> None:
    """Compose messages with all their parts, and a mailing."""
    for number in range(count // 20):
        message = Message(
            from_="Ann <ann@a.example>",
            to=[f"Zoë {number} <zoe@b.example>"],
            subject="Grüße " * 9,
            text="Hällo\n" * 40,
            html="<p>Hällo</p>",
        )
        message.attach(b"data" * 1000, name=f"größe-{number}.bin")
        message.render()
    mailing = Mailing(
        Message(from_="ann@a.example", to="{{ to }}", subject="{{ n }}", text="Hi {{ n }}")
    )
    rows = ({"to": f"b{number}@b.example", "n": str(number)} for number in range(count // 20))
    with SMTPS.from_url(url) as smtp:
        assert all(receipt.ok for receipt in smtp.send_many(mailing.for_each(rows)))


def errors(count: int, url: str, refusing: str) -> None:
    """Be refused, give what is wrong, and find nobody there."""
    with SMTPS.from_url(refusing) as smtp:
        for number in range(count // 10):
            _fails(partial(smtp.send, item(number)))
            _fails(lambda: smtp.send((Envelope("a@b.example", ["a\r\nb"]), b"x")))
            _fails(lambda: Message(from_="no address", to="x").render())
        assert not any(receipt.ok for receipt in smtp.send_many(map(item, range(count // 10))))
    for _ in range(count // 50):
        _fails(lambda: SMTPS.from_url("smtp://127.0.0.1:1?tls=none").connect())


def _fails(call: Callable[[], object]) -> None:
    try:
        call()
    except SMTPSError:
        return
    raise AssertionError("it did not fail")


WHAT = {call.__name__: call for call in (send, asend, connect, pool, compose, errors)}


def main(what: str, count: int, url: str, refusing: str) -> None:
    """Print how much more there is after the second time than after the first."""
    WHAT[what](count, url, refusing)
    before = State.now()
    WHAT[what](count, url, refusing)
    after = State.now()
    growth = {name: getattr(after, name) - getattr(before, name) for name in State._fields}
    print(json.dumps(growth))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:5])
