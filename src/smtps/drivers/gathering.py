"""Carry out many dialogues on one asyncio loop, each on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from ..errors import SMTPSError
from ..ops import Dialogue
from ..receipt import Receipt
from .aio import AsyncDriver

__all__ = ["AsyncLane", "Condition", "Gathering", "sleep"]

# What asyncio offers to those who may not import it.
Condition = asyncio.Condition
sleep = asyncio.sleep


class AsyncLane:
    """One dialogue and its driver."""

    def __init__(self, driver: AsyncDriver, dialogue: Dialogue[None]) -> None:
        self.driver = driver
        self.dialogue = dialogue
        #: What ended the dialogue, if it did not end by itself.
        self.error: SMTPSError | None = None
        self.has_ended = False


class Gathering:
    """Drive lanes until each is at its end, each in a task of its own."""

    def __init__(self, lanes: list[AsyncLane]) -> None:
        self._lanes = lanes

    async def stream(self) -> AsyncGenerator[list[Receipt], None]:
        """Give the receipts of all lanes as they come. An error ends only the lane that has it."""
        # A lane that is ahead waits until its receipts are taken.
        receipts: asyncio.Queue[list[Receipt] | None] = asyncio.Queue(len(self._lanes))
        tasks = [asyncio.create_task(self._drive(lane, receipts)) for lane in self._lanes]
        try:
            left = len(tasks)
            while left:
                batch = await receipts.get()
                if batch is None:
                    left -= 1
                else:
                    yield batch
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _drive(self, lane: AsyncLane, receipts: asyncio.Queue[list[Receipt] | None]) -> None:
        try:
            async for batch in lane.driver.stream(lane.dialogue):
                await receipts.put(batch)
        except SMTPSError as error:
            lane.error = error
        except Exception:
            # Of the program's own handler or loop; `stream` raises it when all are at their end.
            await receipts.put(None)
            raise
        lane.has_ended = True
        await receipts.put(None)
