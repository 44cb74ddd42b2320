"""Do what the system can only do blocking, and without a deadline, beside the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["in_background"]

T = TypeVar("T")


def in_background(work: Callable[[], T]) -> Future[T]:
    """Run a function in a thread of its own, which nobody has to wait for.

    asyncio's executor would not do: its threads hold up the end of the program.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="smtps-lookup", daemon=True).start()
    return future
