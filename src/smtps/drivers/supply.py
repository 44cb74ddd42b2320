"""The items of `send_many`, taken from the program's iterator as they are needed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Iterable, Iterator
from itertools import islice
from time import monotonic
from typing import Any

__all__ = ["AsyncSupply", "IteratorSupply"]

# A source that takes longer than this, in seconds, is asked for one item at a time.
_PATIENCE = 0.001
# How many items of an asynchronous source wait to be taken.
_MOST_WAITING = 512


class _Alone:
    """What a supply of one connection has no use for."""

    def pause(self, _: float, /) -> float:
        """Nothing holds items back."""
        return 0.0

    def adopt(self, _: list[Any], /) -> bool:
        """There is no other connection to leave anything to."""
        return False

    def end(self) -> None:
        """There is nobody to be told."""

    def adopted(self) -> list[Any]:
        """There is nobody to leave anything to this one."""
        return []


class IteratorSupply(_Alone):
    """Items of a plain iterable, which is asked on the thread of the caller."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._iterator: Iterator[Any] = iter(items)
        self._stride = 1
        self._taken = 0
        self.exhausted = False
        self.failure: BaseException | None = None

    def take(self, most: int, wait: bool, /) -> tuple[int, list[Any]]:  # noqa: ARG002
        """Give up to `most` items: one of a slow iterator, and more and more of a quick one.

        So nothing that is ready waits for more than the next item of a slow one.
        """
        taken: list[Any] = []
        start = monotonic()
        try:
            taken.extend(islice(self._iterator, min(most, self._stride)))
        except Exception as error:
            self.failure = error
        # To ask for nothing and get nothing tells nothing.
        if self.failure is not None or (most > 0 and not taken):
            self.exhausted = True
        self._stride = self._stride * 2 if monotonic() - start < _PATIENCE else 1
        first, self._taken = self._taken, self._taken + len(taken)
        return first, taken

    async def close(self) -> None:
        """Do nothing: a plain iterator does nothing by itself."""


class AsyncSupply(_Alone):
    """Items of an asynchronous iterable, which runs in a task of its own and a little ahead."""

    def __init__(self, items: AsyncIterable[Any]) -> None:
        self._items = items
        self._waiting: deque[Any] = deque()
        self._taken = 0
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self.failure: BaseException | None = None

    @property
    def exhausted(self) -> bool:
        """Whether there are no more."""
        return self._task is not None and self._task.done() and not self._waiting

    async def take(self, most: int, wait: bool, /) -> tuple[int, list[Any]]:
        """Give up to `most` items that have come, and wait for one if `wait` is true."""
        if self._task is None:
            self._task = asyncio.create_task(self._pump())
            await asyncio.sleep(0)
        while wait and not self._waiting and not self._task.done():
            self._arrived.clear()
            await self._arrived.wait()
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._has_room.set()
        first, self._taken = self._taken, self._taken + len(taken)
        return first, taken

    async def close(self) -> None:
        """Stop asking for items."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _pump(self) -> None:
        try:
            async for item in self._items:
                self._waiting.append(item)
                self._arrived.set()
                while len(self._waiting) >= _MOST_WAITING:
                    self._has_room.clear()
                    await self._has_room.wait()
        except Exception as error:
            self.failure = error
        finally:
            self._arrived.set()
