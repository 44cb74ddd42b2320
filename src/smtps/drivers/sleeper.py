"""One task that waits, with a deadline, until the loop has called something that it waits for."""

from __future__ import annotations

import asyncio

from ..errors import TimedOut
from ..ops import Deadline
from .glances import GLANCES, Glances

__all__ = ["Sleeper"]


class Sleeper:
    """Sleeps until it is woken, or until it is too late.

    Args:
        loop: what it lets others have their turn on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._begun = 0.0
        self._glances = Glances()
        self._is_glancing = False
        #: What the present wait was allowed, until when, and what looks after that.
        self._deadline: Deadline | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether it is waited here, and neither an end nor a cancellation of it is decided."""
        return self._waiter is not None and not self._waiter.done()

    async def wait(self, deadline: Deadline, *, near: bool = False) -> None:
        """Wait for `wake`.

        Args:
            near: whether that is the answer of a peer, which may be at hand.

        Raises:
            TimedOut: nobody called it in time.
        """
        seconds = deadline.seconds()
        self._waiter = waiter = self._loop.create_future()
        if seconds is not None:
            self._allow(deadline, self._loop.time() + seconds)
        if near:
            self._begun = self._loop.time()
            self._is_glancing = self._glances.worth
            if self._is_glancing:
                self._loop.call_soon(self._glance, waiter)
        try:
            await waiter
        finally:
            self._waiter = self._deadline = None
            self._begun = 0.0

    def wake(self) -> None:
        """Let the wait end, if there is one."""
        if self._waiter is None or self._waiter.done():
            return
        self._waiter.set_result(None)
        if self._is_glancing:
            self._is_glancing = False
            self._glances.met()
        elif self._begun:
            self._glances.slept(self._loop.time() - self._begun)

    def stop(self) -> None:
        """Forget the timer; nothing will be waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _glance(self, waiter: asyncio.Future[None]) -> None:
        """Keep the loop awake: whoever else has something to do has its turn all the same."""
        if waiter is not self._waiter or not self._is_glancing:
            return
        if self._loop.time() - self._begun < GLANCES:
            self._loop.call_soon(self._glance, waiter)
        else:
            self._is_glancing = False
            self._glances.missed()

    def _allow(self, deadline: Deadline, until: float) -> None:
        """Let the present wait take until a moment of the loop.

        A timer is set only where none goes off before: to set and to cancel one for each reply
        takes longer than the rest of a wait.
        """
        self._deadline, self._until = deadline, until
        if self._timer is None or self._timer.when() > until:
            self.stop()
            self._timer = self._loop.call_at(until, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._deadline is None or self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._expire)
        else:
            self._waiter.set_exception(TimedOut(self._deadline.allowed))
