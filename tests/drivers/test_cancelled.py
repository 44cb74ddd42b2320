"""A task that is cancelled ends as cancelled, and not before what it began has ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from smtps import AsyncSMTPS
from smtps.drivers.aio import in_thread
from smtps.errors import Interrupted
from smtps.testing import Fault, Sink


async def stopped(stop: Callable[[AsyncSMTPS, asyncio.Task[None]], object]) -> None:
    """Wait for a greeting that never comes, and stop this."""
    reached = asyncio.Event()
    with Sink(faults=[Fault(on="greeting", stall=True)]) as sink:
        smtp = AsyncSMTPS.from_url(sink.url)
        smtp.on_connection_status = lambda _: reached.set()
        task = asyncio.create_task(smtp.connect())
        await reached.wait()
        await asyncio.sleep(0)
        stop(smtp, task)
        await asyncio.wait_for(task, 10)


def test_an_interruption_is_no_cancellation() -> None:
    with pytest.raises(Interrupted):
        asyncio.run(stopped(lambda smtp, _: smtp.interrupt()))


def interrupt_and_cancel(smtp: AsyncSMTPS, task: asyncio.Task[None]) -> None:
    smtp.interrupt()
    task.cancel()


def test_a_cancellation_is_not_lost_where_an_interruption_comes_with_it() -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped(interrupt_and_cancel))


def test_who_is_cancelled_twice_still_waits_for_the_thread() -> None:
    go, ended = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(10)
        ended.set()

    async def cancel_twice() -> bool:
        task = asyncio.create_task(in_thread(work))
        for _ in range(2):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        was_running = not task.done()
        go.set()
        await asyncio.wait([task])
        assert task.cancelled()
        return was_running and ended.is_set()

    assert asyncio.run(cancel_twice())


def test_the_end_of_the_loop_waits_for_the_thread() -> None:
    go, ended = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(10)
        ended.set()

    async def wait() -> bool:
        try:
            await in_thread(work)
        finally:
            assert ended.is_set()
        return True

    async def leave() -> asyncio.Task[bool]:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, go.set)
        return task

    task = asyncio.run(leave())
    assert task.cancelled()
