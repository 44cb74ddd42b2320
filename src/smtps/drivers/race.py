"""Connect to whichever address of a name answers first. RFC 8305 ("happy eyeballs").

The addresses are tried one after another, each a quarter of a second behind the last, or at once
when the last one failed; those already under way go on meanwhile. A dead address so costs a
quarter of a second and not the whole timeout.
"""

from __future__ import annotations

import asyncio
import copy
import os
import selectors
import socket
from collections import deque
from collections.abc import Callable
from time import monotonic

from ..errors import ConnectionFailed, TimedOut
from ..ops import Connect
from .background import in_background
from .failures import attempts_in_words, connect_failure
from .names import Found, Target, find, is_known, look_up_key
from .sockets import open_socket

__all__ = ["Race"]

# RFC 8305, section 5: the recommended delay between two attempts.
_DELAY = 0.25
# The one that takes no file descriptor of its own, since a program may have none left.
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)


class Race:
    """The way to one open socket, blocking by `run` or awaited by `run_async`.

    Args:
        op: where to, with what settings, and until when.
    """

    def __init__(self, op: Connect) -> None:
        self._op = op
        seconds = op.deadline.seconds()
        self._until = None if seconds is None else monotonic() + seconds
        self._waiting: deque[Target] = deque()
        self._failures: list[tuple[Target, OSError]] = []
        self._under_way: dict[socket.socket, Target] = {}
        self.own_name = ""

    def run(self, check: Callable[[], None] = lambda: None) -> socket.socket:
        """Give the first socket that connects.

        Args:
            check: called a few times a second; what it raises ends the race.

        Raises:
            ConnectionFailed: there is no address, or none of them answers; it says why of each.
            TimedOut: none did in time.
        """
        self._begin(self._find(check))
        winner = None
        selector = _Selector()
        try:
            while winner is None:
                check()
                self._start_next(selector)
                winner = self._await_any(selector)
            return winner
        finally:
            selector.close()
            self._close_all_but(winner)

    async def run_async(self) -> socket.socket:
        """Like `run`, awaited."""
        self._begin(await self._find_async())
        attempts: set[asyncio.Task[socket.socket | None]] = set()
        winner = None
        try:
            while winner is None:
                if self._waiting:
                    attempts.add(asyncio.create_task(self._attempt(self._waiting.popleft())))
                if not attempts:
                    raise self._failure()
                done, attempts = await asyncio.wait(
                    attempts, timeout=self._pause(), return_when=asyncio.FIRST_COMPLETED
                )
                winner = next((won for task in done if (won := task.result())), None)
            return winner
        finally:
            for attempt in attempts:
                attempt.cancel()
            try:
                await asyncio.gather(*attempts, return_exceptions=True)
            except asyncio.CancelledError:
                # Whoever asked for the connection is not there to close it.
                winner = None
                raise
            finally:
                self._close_all_but(winner)

    # --- the name ---------------------------------------------------------------------------------

    def _find(self, check: Callable[[], None]) -> Found:
        if is_known(self._op):
            return find(self._op)
        answer = in_background(look_up_key(self._op), lambda: find(self._op))
        while True:
            check()
            left = self._left()
            try:
                return answer.result(_DELAY if left is None else min(left, _DELAY))
            except TimeoutError:
                self._check_time()
            except ConnectionFailed as error:
                raise _own(error) from error.__cause__

    async def _find_async(self) -> Found:
        if is_known(self._op):
            return find(self._op)
        answer = asyncio.wrap_future(in_background(look_up_key(self._op), lambda: find(self._op)))
        try:
            async with asyncio.timeout(self._left()):
                return await answer
        except TimeoutError:
            raise self._timed_out() from None
        except ConnectionFailed as error:
            raise _own(error) from error.__cause__

    def _begin(self, found: Found) -> None:
        self.own_name = found.own_name
        self._waiting.extend(found.targets)

    # --- one attempt ------------------------------------------------------------------------------

    def _start_next(self, selector: selectors.BaseSelector) -> None:
        """Begin to connect to the next address, passing over those that fail at once."""
        while self._waiting:
            target = self._waiting.popleft()
            try:
                connection = self._open(target)
            except OSError as error:
                self._failures.append((target, error))
                continue
            try:
                connection.connect(target.address)
            except BlockingIOError:
                pass
            except OSError as error:
                self._fail(connection, error)
                continue
            selector.register(connection, selectors.EVENT_WRITE)
            return
        if not self._under_way:
            raise self._failure()

    def _await_any(self, selector: selectors.BaseSelector) -> socket.socket | None:
        """Wait until one is connected, one has failed, or it is time for the next."""
        for key, _ in selector.select(self._pause()):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not error:
                return connection
            selector.unregister(connection)
            self._fail(connection, OSError(error, os.strerror(error)))
        return None

    async def _attempt(self, target: Target) -> socket.socket | None:
        try:
            connection = self._open(target)
        except OSError as error:
            self._failures.append((target, error))
            return None
        try:
            await asyncio.get_running_loop().sock_connect(connection, target.address)
        except OSError as error:
            self._fail(connection, error)
            return None
        return connection

    def _open(self, target: Target) -> socket.socket:
        connection = open_socket(target, self._op.options.settings)
        self._under_way[connection] = target
        return connection

    def _fail(self, connection: socket.socket, error: OSError) -> None:
        self._failures.append((self._under_way.pop(connection), error))
        connection.close()

    def _close_all_but(self, winner: socket.socket | None) -> None:
        for connection in self._under_way:
            if connection is not winner:
                connection.close()

    # --- time, and the end of it ------------------------------------------------------------------

    def _left(self) -> float | None:
        return None if self._until is None else max(self._until - monotonic(), 0.0)

    def _pause(self) -> float | None:
        """How long to wait for those under way; those still to be tried do not wait for long."""
        self._check_time()
        left = self._left()
        return _DELAY if left is None else min(left, _DELAY)

    def _check_time(self) -> None:
        if self._left() == 0.0:
            raise self._timed_out()

    def _timed_out(self) -> TimedOut:
        if not self._under_way and not self._failures:
            detail = f"no answer from the resolver about {self._op.host}"
        else:
            silent = [(target, None) for target in self._under_way.values()]
            detail = attempts_in_words(self._op.host, [*self._failures, *silent])
        return TimedOut(self._op.deadline.allowed, detail=detail)

    def _failure(self) -> ConnectionFailed:
        return connect_failure(self._op.host, self._op.port, self._failures)


def _own(error: ConnectionFailed) -> ConnectionFailed:
    """Copy what others are told too: each puts its own phase and receipt on it."""
    return copy.copy(error)
