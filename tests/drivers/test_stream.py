"""Answers on asyncio are written in the moment when the loop brings what they answer."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import Awaitable, Callable

import pytest

from smtps.drivers.stream import Stream
from smtps.errors import ConnectionLost, TimedOut
from smtps.ops import Deadline, Respond, Write

PATIENT = Deadline(5.0)
LONG = b"x" * 8_000_000


class Turn:
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, answer: bytes | BaseException | None, deadline: Deadline = PATIENT) -> None:
        self._answer = answer
        self.asked: list[bytes] = []
        self.write: Write | None = None
        self.is_written = False
        self.op = Respond(self._give, self._written, deadline)

    def _give(self, data: bytes) -> Write | None:
        self.asked.append(data)
        if isinstance(self._answer, BaseException):
            raise self._answer
        if self._answer is None:
            return None
        self.write = Write(self._answer, PATIENT)
        return self.write

    def _written(self) -> None:
        self.is_written = True


def drive(work: Callable[[Stream, socket.socket], Awaitable[None]]) -> None:
    """Let it work on a stream, and on the socket of its peer."""

    async def main() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            loop = asyncio.get_running_loop()
            _, stream = await loop.create_connection(lambda: Stream(ours), sock=ours)
            await work(stream, theirs)
            stream.abort()
            await asyncio.sleep(0)

    asyncio.run(main())


def bring(stream: Stream, data: bytes) -> None:
    """Do what the loop does when this has arrived."""
    stream.get_buffer(-1)[: len(data)] = data
    stream.buffer_updated(len(data))


async def begin(stream: Stream, turn: Turn) -> asyncio.Task[bytes | None]:
    """Let a task wait for what it is to answer."""
    task = asyncio.ensure_future(stream.respond(turn.op))
    await asyncio.sleep(0)
    return task


def test_an_answer_is_written_before_any_task_has_its_turn() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        task = await begin(stream, turn)
        bring(stream, b"250 OK\r\n")
        assert peer.recv(100) == b"RSET\r\n"
        assert turn.is_written
        assert await task is None

    drive(work)


def test_what_is_here_already_is_answered_at_once() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        bring(stream, b"250 OK\r\n")
        assert await stream.respond(turn.op) is None
        assert turn.asked == [b"250 OK\r\n"]
        assert peer.recv(100) == b"RSET\r\n"

    drive(work)


def test_nothing_is_answered_while_nobody_asks_for_it() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(None)
        task = await begin(stream, turn)
        bring(stream, b"250 first\r\n")
        await task
        bring(stream, b"250 second\r\n")
        assert turn.asked == [b"250 first\r\n"]
        assert stream.take() == b"250 second\r\n"

    drive(work)


def test_after_a_cancellation_nothing_is_answered() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        task = await begin(stream, turn)
        task.cancel()
        bring(stream, b"250 OK\r\n")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert turn.asked == []
        assert stream.take() == b"250 OK\r\n"

    drive(work)


class Interruption(BaseException):
    """What a program may raise to end itself."""


@pytest.mark.parametrize("error", [OSError("no such file"), Interruption()])
def test_what_answering_raises_is_raised_to_who_waits(error: BaseException) -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        task = await begin(stream, Turn(error))
        bring(stream, b"250 OK\r\n")
        with pytest.raises(type(error)) as raised:
            await task
        assert raised.value is error

    drive(work)


def test_answers_see_the_context_of_the_task_that_waits() -> None:
    customer = contextvars.ContextVar("customer", default="nobody")
    seen = []

    async def wait(stream: Stream) -> None:
        customer.set("somebody")

        def answer(_: bytes) -> Write | None:
            seen.append(customer.get())
            return None

        await stream.respond(Respond(answer, lambda: None, PATIENT))

    async def work(stream: Stream, peer: socket.socket) -> None:
        task = asyncio.ensure_future(wait(stream))
        await asyncio.sleep(0)
        peer.send(b"250 OK\r\n")
        await task

    drive(work)
    assert seen == ["somebody"]


def test_a_long_answer_is_written_when_its_last_byte_has_gone() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(LONG)
        task = await begin(stream, turn)
        bring(stream, b"354 Go on\r\n")
        assert not turn.is_written
        assert turn.write is not None
        assert turn.write.sent < len(LONG)
        loop = asyncio.get_running_loop()
        received = 0
        while received < len(LONG) - (1 << 20):
            assert not turn.is_written
            received += len(await loop.sock_recv(peer, 1 << 16))
        while received < len(LONG):
            received += len(await loop.sock_recv(peer, 1 << 16))
        assert await task is None
        assert turn.is_written
        assert turn.write.sent == len(LONG)

    drive(work)


def test_an_answer_that_the_transport_only_keeps_is_not_written_yet() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        task = await begin(stream, turn)
        stream.transport.write(LONG)
        bring(stream, b"250 OK\r\n")
        assert not turn.is_written
        loop = asyncio.get_running_loop()
        received = b""
        while not received.endswith(b"RSET\r\n"):
            received = (received + await loop.sock_recv(peer, 1 << 16))[-6:]
        assert await task is None
        assert turn.is_written

    drive(work)


def test_a_long_answer_to_a_peer_that_goes_is_not_written() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(LONG)
        task = await begin(stream, turn)
        bring(stream, b"354 Go on\r\n")
        peer.close()
        with pytest.raises(ConnectionLost):
            await task
        assert not turn.is_written

    drive(work)


def test_the_end_is_told_and_not_answered() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        task = await begin(stream, turn)
        peer.close()
        assert await task == b""
        assert turn.asked == []

    drive(work)


def test_an_answer_behind_the_end_is_not_written() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n")
        bring(stream, b"421 Good bye\r\n")
        peer.close()
        stream.eof_received()
        with pytest.raises(ConnectionLost):
            await stream.respond(turn.op)
        assert turn.asked == [b"421 Good bye\r\n"]
        assert not turn.is_written

    drive(work)


def test_silence_ends_the_wait_for_an_answer() -> None:
    async def work(stream: Stream, peer: socket.socket) -> None:
        turn = Turn(b"RSET\r\n", Deadline(0.01))
        with pytest.raises(TimedOut):
            await stream.respond(turn.op)
        bring(stream, b"250 OK\r\n")
        assert turn.asked == []

    drive(work)
