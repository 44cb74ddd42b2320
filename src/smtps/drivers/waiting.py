"""Wait for one socket, on systems with `poll` and without."""

from __future__ import annotations

import select
import socket

__all__ = ["wait"]


def wait(
    connection: socket.socket, *, read: bool, write: bool, seconds: float | None
) -> tuple[bool, bool]:
    """Wait until the socket can be read or written, and tell which; both are False on a timeout.

    A socket that broke counts as ready for all that was asked: the next call on it says why.
    """
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(connection, read * select.POLLIN | write * select.POLLOUT)
        ready = poller.poll(None if seconds is None else seconds * 1000)
        events = ready[0][1] if ready else 0
        broken = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
        return read and bool(events & select.POLLIN or broken), (
            write and bool(events & select.POLLOUT or broken)
        )
    wanted = [connection]
    # Windows reports a connection that failed as an exception, not as writable.
    readable, writable, broke = select.select(
        wanted if read else [], wanted if write else [], wanted, seconds
    )
    return read and bool(readable or broke), write and bool(writable or broke)
