"""Connections that send many messages on asyncio leave each other, and all other tasks, a turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Literal

import pytest

from smtps import AsyncSMTPS, Envelope
from smtps.testing import ALL_EXTENSIONS, Sink

CONNECTIONS, MESSAGES = 3, 60


@pytest.mark.parametrize("tls", [None, "implicit"])
def test_between_two_turns_of_a_task_no_connection_gets_further_than_a_message(
    tls: Literal["implicit"] | None,
) -> None:
    turn = 0
    progress: Counter[tuple[int, int]] = Counter()

    async def beat() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def send(number: int, url: str) -> None:
        smtp = AsyncSMTPS.from_url(url)
        items = [
            (Envelope("a@b.example", [f"x{number}.{index}@y.example"]), b"Subject: x\r\n")
            for index in range(MESSAGES)
        ]
        async for receipt in smtp.send_many(items):
            assert receipt.ok
            progress[number, turn] += 1

    async def main(url: str) -> None:
        heart = asyncio.ensure_future(beat())
        await asyncio.gather(*(send(number, url) for number in range(CONNECTIONS)))
        heart.cancel()

    grouped = [one for one in ALL_EXTENSIONS if one != "CHUNKING"]
    with Sink(tls=tls, extensions=grouped) as sink:
        asyncio.run(main(sink.url))
        assert len(sink.messages) == CONNECTIONS * MESSAGES
    assert set(progress.values()) == {1}
