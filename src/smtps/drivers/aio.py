"""Carry out dialogues on asyncio."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ..errors import ConnectionLost, SMTPSError, TimedOut
from ..ops import (
    Call,
    Close,
    Connect,
    Connected,
    Dialogue,
    Emit,
    Op,
    Poll,
    Read,
    Sleep,
    StartTLS,
    TLSInfo,
    Write,
)
from .failures import connect_failure, loss, tls_failure
from .names import own_name
from .stream import Stream
from .tls import context_for, describe, server_name

__all__ = ["AsyncDriver"]

T = TypeVar("T")


class AsyncDriver:
    """One connection, driven by the task that awaits `run`.

    Args:
        observer: called with every event; what it gives back is awaited if it can be.
    """

    def __init__(self, observer: Callable[[Any], Any]) -> None:
        self._observer = observer
        self._stream: Stream | None = None
        # Operations that may have to wait; what they give back is awaited.
        self._wait_for: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Connect: self._connect,
            Read: self._read,
            Write: self._write,
            StartTLS: self._start_tls,
            Sleep: lambda op: asyncio.sleep(op.seconds),
            Call: lambda op: _settle(op.function(*op.arguments)),
            Emit: lambda op: _settle(self._observer(op.event)),
        }

    async def run(self, dialogue: Dialogue[T]) -> T:
        """Carry the dialogue out to its end and give back its result."""
        try:
            op: Op = next(dialogue)
            while True:
                try:
                    result = await self._carry_out(op)
                except SMTPSError as error:
                    op = dialogue.throw(error)
                else:
                    op = dialogue.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def abort(self) -> None:
        """Close the connection at once, without a word to the server."""
        if self._stream is not None:
            self._stream.abort()
        self._stream = None

    # --- operations -------------------------------------------------------------------------------

    async def _carry_out(self, op: Op) -> Any:
        if isinstance(op, Poll):
            return self._open_stream().take()
        if isinstance(op, Close):
            return self.abort()
        return await self._wait_for[type(op)](op)

    async def _connect(self, op: Connect) -> Connected:
        host, port = op.options.mail_server, op.options.mail_port
        seconds = op.deadline.seconds()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                # RFC 8305: the second family of addresses is tried a quarter of a second later.
                _, stream = await loop.create_connection(
                    Stream, host, port, happy_eyeballs_delay=0.25
                )
        except TimeoutError as error:
            raise TimedOut(seconds or 0) from error
        except OSError as error:
            raise connect_failure(host, port, error) from error
        connection: socket.socket = stream.transport.get_extra_info("socket")
        # asyncio sets it on its own; False leaves the default of the system.
        no_delay = op.options.settings.tcp_no_delay
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(no_delay))
        self._stream = stream
        local, peer = connection.getsockname()[0], connection.getpeername()[0]
        return Connected(own_name(), local, peer)

    async def _start_tls(self, op: StartTLS) -> TLSInfo:
        host = server_name(op.options)
        stream = self._open_stream()
        try:
            secure = await stream.start_tls(context_for(op.options), host, op.deadline)
        except (TimedOut, ConnectionLost):
            raise
        except OSError as error:
            raise tls_failure(host, error) from error
        return describe(secure)

    async def _read(self, op: Read) -> bytes:
        return await self._open_stream().read(op.deadline)

    async def _write(self, op: Write) -> bool:
        stream = self._open_stream()
        try:
            await stream.write(op.data, op.deadline)
        except OSError as error:
            if isinstance(error, SMTPSError):
                raise
            raise loss(error) from error
        return stream.has_data

    def _open_stream(self) -> Stream:
        if self._stream is None:
            raise ConnectionLost("the connection is closed")
        return self._stream


async def _settle(result: Any) -> Any:
    """Await what a program's function gave back, if it is a coroutine function."""
    return await result if inspect.isawaitable(result) else result
