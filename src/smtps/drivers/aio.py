"""Carry out dialogues on asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

from ..errors import ConnectionLost, Interrupted, SMTPSError, TimedOut
from ..ops import (
    Await,
    Call,
    Close,
    Connect,
    Connected,
    Deadline,
    Dialogue,
    Emit,
    Finished,
    Give,
    Op,
    Poll,
    PrepareTLS,
    Read,
    Respond,
    Sleep,
    StartTLS,
    TLSInfo,
    Verify,
    Write,
)
from ..receipt import Receipt
from .failures import broken_handshake, loss, tls_failure
from .race import Race
from .resumption import Resumption
from .sockets import describe_connection, set_no_delay
from .stream import Stream
from .tls import context_for, describe, server_name
from .verification import prepare, verify

__all__ = ["AsyncDriver", "in_thread", "settled"]

T = TypeVar("T")


class AsyncDriver:
    """One connection, driven by the task that awaits `run`.

    Args:
        observer: called with every event; what it gives back is awaited if it can be.
    """

    def __init__(self, observer: Callable[[Any], Any]) -> None:
        self._observer = observer
        self._stream: Stream | None = None
        self._task: asyncio.Task[Any] | None = None
        #: Whether a handler asked to stop, and whether another task or thread did.
        self._asked = self._cancelled = False
        self._resumption = Resumption()
        # What goes on when its receipts are taken.
        self._under_way: Respond | None = None
        # Operations that may have to wait; what they give back is awaited.
        self._wait_for: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Connect: self._connect,
            Read: self._read,
            Write: self._write,
            Respond: self._respond,
            PrepareTLS: self._prepare,
            StartTLS: self._start_tls,
            Verify: lambda op: settled(verify(op)),
            Sleep: lambda op: asyncio.sleep(op.seconds),
            Call: lambda op: settled(op.function(*op.arguments)),
            Await: self._await,
            Emit: lambda op: settled(self._observer(op.event)),
        }

    def begin(self) -> None:
        """Forget what interrupted the last method; called before the next one counts as running."""
        self._asked = self._cancelled = False

    async def run(self, dialogue: Dialogue[T]) -> T:
        """Carry the dialogue out to its end and give back its result."""
        self._under_way = None
        finished = await self._advance(dialogue)
        assert isinstance(finished, Finished)
        value: T = finished.value
        return value

    async def stream(self, dialogue: Dialogue[None]) -> AsyncGenerator[list[Receipt], None]:
        """Carry the dialogue out, and give the receipts that it hands over on its way."""
        self._under_way = None
        while isinstance(step := await self._advance(dialogue), Give):
            yield step.receipts

    async def _advance(self, dialogue: Dialogue[Any]) -> Give | Finished:
        """Carry the dialogue out until it has something to give, or to its end."""
        self._task = task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        try:
            op: Op = self._under_way or dialogue.send(None)
            self._under_way = None
            while type(op) is not Give:
                if self._asked:
                    self._asked = False
                    op = dialogue.throw(Interrupted())
                    continue
                try:
                    result = await self._carry_out(op)
                except SMTPSError as error:
                    if type(op) is Emit:
                        # A handler's own error is the program's, whatever it is.
                        raise
                    op = dialogue.throw(error)
                except asyncio.CancelledError:
                    if not self._cancelled:
                        raise
                    # As asyncio.timeout does: it was not the task that was to be cancelled, unless
                    # somebody else wants that at the same time.
                    self._cancelled = False
                    if task.uncancel() > cancelling:
                        raise
                    op = dialogue.throw(Interrupted())
                else:
                    if result is not op:
                        op = dialogue.send(result)
                    elif isinstance(op, Respond) and op.receipts:
                        self._under_way = op
                        return Give(op.take())
        except StopIteration as stop:
            return Finished(stop.value)
        finally:
            self._task = None
        return op

    def interrupt(self) -> None:
        """Stop what `run` does now, from any thread or from a handler; the connection is lost."""
        task = self._task
        if task is None:
            # Between two steps: the next one finds it.
            self._asked = True
            return
        try:
            own = asyncio.current_task() is task
        except RuntimeError:  # The calling thread runs no loop.
            own = False
        if own:
            self._asked = True
        else:
            task.get_loop().call_soon_threadsafe(self._cancel, task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        # Called by the loop, so the task is waiting for something, and is woken there; or its step
        # has ended meanwhile, and the next one finds it.
        if self._task is not task:
            self._asked = True
        elif not self._cancelled:
            self._cancelled = True
            task.cancel()

    def abort(self) -> None:
        """Close the connection at once, without a word to the server."""
        if self._stream is not None:
            self._stream.abort()
        self._stream = None

    def _close(self) -> None:
        secure = self._stream and self._stream.tls
        if secure:
            self._resumption.ended(secure)
        self.abort()

    # --- operations -------------------------------------------------------------------------------

    async def _carry_out(self, op: Op) -> Any:
        if isinstance(op, Poll):
            return self._open_stream().poll()
        if isinstance(op, Close):
            return self._close()
        return await self._wait_for[type(op)](op)

    async def _prepare(self, op: PrepareTLS) -> None:
        prepare(op)

    async def _connect(self, op: Connect) -> Connected:
        race = Race(op)
        connection = await race.run_async()
        loop = asyncio.get_running_loop()
        try:
            _, self._stream = await loop.create_connection(
                lambda: Stream(connection), sock=connection
            )
        except BaseException:
            connection.close()
            raise
        try:
            # asyncio has set it on its own.
            set_no_delay(connection, op.options.settings)
            return describe_connection(connection, race.own_name)
        except OSError as error:
            raise loss(error) from error

    async def _start_tls(self, op: StartTLS) -> TLSInfo:
        host = server_name(op.options)
        stream = self._open_stream()
        context = context_for(op)
        earlier = self._resumption.find(op.options, context)
        try:
            secure = await stream.start_tls(
                context, host, op.deadline, session=earlier.session if earlier else None
            )
        except TimedOut:
            raise
        except ConnectionLost as lost:
            raise broken_handshake(f"{lost.reason}, in the TLS handshake") from lost
        except OSError as error:
            raise tls_failure(host, error) from error
        info = describe(secure, op, earlier)
        self._resumption.began(op.options, info.chain)
        return info

    async def _read(self, op: Read) -> bytes | None:
        stream = self._open_stream()
        if op.patience is None:
            return await stream.read(op.deadline)
        try:
            return await stream.read(Deadline(op.patience))
        except TimedOut:
            return None

    async def _write(self, op: Write) -> bool:
        stream = self._open_stream()
        await stream.write(op)
        return stream.has_data

    async def _respond(self, op: Respond) -> object:
        if await self._open_stream().respond(op) == b"":
            return b""
        # It gives back itself where it is not at its end.
        return op if op.goes_on else None

    async def _await(self, op: Await) -> Any:
        seconds = op.deadline.seconds()
        # Not wait_for: its cancellation would reach the future that others wait for too.
        done, _ = await asyncio.wait([asyncio.wrap_future(op.future)], timeout=seconds)
        if not done:
            raise TimedOut(seconds or 0)
        return op.future.result()

    def _open_stream(self) -> Stream:
        if self._stream is None:
            raise ConnectionLost("the connection is closed")
        return self._stream


async def settled(result: Any) -> Any:
    """Await what a program's function gave back, if it is a coroutine function."""
    return await result if inspect.isawaitable(result) else result


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call what waits for the disk in a thread; however often cancelled, still wait for its end."""
    # Not to_thread: the end of the loop would cancel its task, and not wait for the thread.
    work = partial(copy_context().run, function, *arguments)
    call = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled: asyncio.CancelledError | None = None
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Its own error, if it has one, comes too late.
        call.exception()
        raise cancelled
    return call.result()
