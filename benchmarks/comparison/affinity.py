"""Keep the server on a processor of its own, so that it takes no time from the clients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["client_cpus", "on", "server_cpus"]


def server_cpus() -> set[int]:
    """Give the last processor, or the only one."""
    return {max(os.sched_getaffinity(0))}


def client_cpus() -> set[int]:
    """Give all others, or the only one."""
    every = os.sched_getaffinity(0)
    return every - {max(every)} or every


@contextmanager
def on(cpus: set[int]) -> Iterator[None]:
    """Run what is started inside on these processors only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
