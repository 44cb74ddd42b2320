"""Do what the system can only do blocking, and without a deadline, beside the callers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..forks import after_fork

__all__ = ["in_background"]

T = TypeVar("T")

_lock = threading.Lock()
_running: dict[Hashable, Future[Any]] = {}


def in_background(key: Hashable, work: Callable[[], T]) -> Future[T]:
    """Run a function in a thread of its own, which nobody has to wait for.

    Those who ask for the same key meanwhile share the one that runs: many connections at once, or
    one that is tried again and again while the resolver hangs, take one thread. asyncio's executor
    would not do: its threads hold up the end of the program. Where no thread can be had, as at the
    end of the program in some versions of Python, the caller does it.
    """
    with _lock:
        if key in _running:
            return _running[key]
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        thread = threading.Thread(
            target=_run, args=(key, future, work), name="smtps-lookup", daemon=True
        )
        _running[key] = future
    try:
        thread.start()
    except RuntimeError:
        _run(key, future, work)
    return future


def _run(key: Hashable, future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:
        _forget(key)
        future.set_exception(error)
    else:
        _forget(key)
        future.set_result(result)


def _forget(key: Hashable) -> None:
    with _lock:
        del _running[key]


def _start_anew() -> None:
    # No thread outlives a fork, and the lock may have been held by one.
    global _lock
    _lock = threading.Lock()
    _running.clear()


after_fork(_start_anew)
