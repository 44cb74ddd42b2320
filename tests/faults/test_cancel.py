"""A task is cancelled at each turn of the loop: the account stays true, and nothing is left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smtps import AsyncSMTPS, Envelope, Outcome, Receipt
from smtps.testing import ALL_EXTENSIONS, Sink

_MOST_TURNS = 200


def _item(number: int) -> tuple[Envelope, bytes]:
    return Envelope("a@b.example", [f"x{number}@y.example"]), b"Subject: x\r\n\r\nHello\r\n"


async def _cancel_at(turn: int, url: str, tell: Callable[[Receipt], None], *, many: bool) -> bool:
    """Send three messages, cancel at the turn of that number, and tell whether it came to that."""
    smtp = AsyncSMTPS.from_url(url)
    items = [_item(10 * turn + number) for number in range(3)]

    async def send() -> None:
        if many:
            async for receipt in smtp.send_many(items):
                tell(receipt)
        else:
            await smtp.connect()
            for item in items:
                tell(await smtp.send(item))

    task = asyncio.ensure_future(send())
    for _ in range(turn):
        await asyncio.sleep(0)
        if task.done():
            break
    was_running = task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    assert smtp.idle
    # The object works again, whatever was under way.
    receipt = await smtp.send(_item(10 * turn + 9))
    assert receipt.ok
    await smtp.disconnect()
    await asyncio.sleep(0)
    return was_running


_GROUPED = tuple(one for one in ALL_EXTENSIONS if one != "CHUNKING")


@pytest.mark.parametrize(
    ("many", "extensions"),
    [(False, ALL_EXTENSIONS), (True, ALL_EXTENSIONS), (True, _GROUPED)],
    ids=["send", "send_many", "send_many by DATA"],
)
def test_a_task_that_is_cancelled_anywhere_leaves_a_true_account(
    many: bool, extensions: tuple[str, ...]
) -> None:
    cancelled = 0
    files = len(list(Path("/proc/self/fd").iterdir())) if os.name == "posix" else 0
    with Sink(extensions=extensions) as sink:
        for turn in range(_MOST_TURNS):
            receipts: list[Receipt] = []
            was_running = asyncio.run(_cancel_at(turn, sink.url, receipts.append, many=many))
            taken = [one for message in sink.messages for one in message.recipients]
            for receipt in receipts:
                for result in receipt.results:
                    if result.outcome is Outcome.ACCEPTED:
                        assert taken.count(result.address) == 1
            assert len(set(taken)) == len(taken)
            cancelled += was_running
            if not was_running:
                break
    assert cancelled > 3
    assert len(list(Path("/proc/self/fd").iterdir())) <= files + 8
