"""Wait for one socket, on systems with `poll` and without."""

from __future__ import annotations

import select
import socket
from time import monotonic

from .glances import GLANCES, Glances

__all__ = ["Watch"]


class Watch:
    """Tells when one socket is ready.

    Args:
        connection: the socket, which keeps its number for as long as this is used.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._number = connection.fileno()
        self._poller = select.poll() if hasattr(select, "poll") else None
        if self._poller is not None:
            self._poller.register(self._number, select.POLLIN)
        self._read, self._write = True, False
        self._glances = Glances()

    def wait(self, *, read: bool, write: bool, seconds: float | None) -> tuple[bool, bool]:
        """Wait until it can be read or written, and tell which; both are False on a timeout.

        A socket that broke counts as ready for all that was asked: the next call on it says why.
        """
        if self._poller is None:
            return self._select(read, write, seconds)
        self._ask(self._poller, read, write)
        timeout = None if seconds is None else seconds * 1000
        ready = self._poller.poll(timeout) if write else self._listen(self._poller, timeout)
        events = ready[0][1] if ready else 0
        broken = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
        return read and bool(events & select.POLLIN or broken), (
            write and bool(events & select.POLLOUT or broken)
        )

    def has_data(self) -> bool:
        """Whether a read would give something, be it the news that the connection is gone."""
        if self._poller is None:
            return self._select(True, False, 0)[0]
        # No wait for an answer, and nothing to learn from about waits.
        self._ask(self._poller, True, False)
        return bool(self._poller.poll(0))

    def _ask(self, poller: select.poll, read: bool, write: bool) -> None:
        if (read, write) != (self._read, self._write):
            self._read, self._write = read, write
            poller.modify(self._number, read * select.POLLIN | write * select.POLLOUT)

    def _listen(self, poller: select.poll, timeout: float | None) -> list[tuple[int, int]]:
        """Wait for an answer, awake if the last ones came at once."""
        begun = monotonic()
        if self._glances.worth and (timeout is None or timeout > 1):
            while monotonic() - begun < GLANCES:
                if ready := poller.poll(0):
                    self._glances.met()
                    return ready
            self._glances.missed()
        ready = poller.poll(timeout)
        self._glances.slept(monotonic() - begun)
        return ready

    def _select(self, read: bool, write: bool, seconds: float | None) -> tuple[bool, bool]:
        wanted = [self._number]
        # Windows reports a connection that failed as an exception, not as writable.
        readable, writable, broke = select.select(
            wanted if read else [], wanted if write else [], wanted, seconds
        )
        return read and bool(readable or broke), write and bool(writable or broke)
