"""A byte stream on asyncio, with TLS that starts when it is told to.

asyncio's own `start_tls` hands bytes that arrived in clear text to the TLS session (they would be
taken for the server's), so the stream is a protocol of its own around `ssl.MemoryBIO`: what arrived
before the handshake is the caller's to refuse.
"""

from __future__ import annotations

import asyncio
import contextvars
import socket
import ssl
from typing import cast

from ..errors import ConnectionLost, ProtocolError, TimedOut
from ..ops import Deadline, Respond, Write
from .failures import loss
from .sleeper import Sleeper
from .sockets import quick_ack

__all__ = ["Stream"]

# How much may wait to be read before the transport is paused.
_INBOX_LIMIT = 1 << 18
# How much is taken from the system, or given to the transport, at a time.
_PIECE = 65536
# The most plain text of one TLS record. RFC 8446, section 5.1.
_RECORD = 16384


class Stream(asyncio.BufferedProtocol):
    """The bytes of one connection, in clear text or through TLS.

    It has a buffer of its own for what arrives: a transport of asyncio would ask the system for
    256 KiB for each reply, and give them back, which takes 10 us.

    Args:
        connection: the socket that the loop makes the transport for.
    """

    transport: asyncio.Transport

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = memoryview(bytearray(_PIECE))
        self._inbox = bytearray()
        self._failure: Exception | None = None
        self._ended = False
        self._can_write = True
        #: How much may wait to be read: while something is written, what `Write` says.
        self._most = _INBOX_LIMIT
        self._is_paused = False
        self._sleeper = Sleeper(asyncio.get_running_loop())
        #: What answers the next bytes, where that works; and then what of that is not yet written,
        #: or what broke.
        self._turn: Respond | None = None
        self._context = contextvars.Context()
        self._unwritten: Write | None = None
        self._broke: BaseException | None = None
        self._tls: ssl.SSLObject | None = None
        self._is_secure = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    # --- what the loop calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Give the place for what has arrived."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what arrived, or answer it at once if that is what is waited for."""
        self._keep(self._buffer[:nbytes])
        turn = self._turn
        if turn is None or not self._inbox or not self._sleeper.waits or not self._answer(turn):
            quick_ack(self._connection)
        self._sleeper.wake()

    def eof_received(self) -> bool:
        """Note that the server has closed; what it said before still counts."""
        self._ended = True
        self._incoming.write_eof()
        self._sleeper.wake()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Note that the connection is gone, and hear what the server said before that."""
        # A write that fails closes the transport, which then looks no more at what has arrived:
        # the 552 or 421 that says why. The socket itself is closed only after this call.
        while error is not None and (data := self._rest()):
            self._keep(data)
        self._ended = True
        self._failure = self._failure or error
        self._sleeper.stop()
        self._sleeper.wake()

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._can_write = False

    def resume_writing(self) -> None:
        """The transport can take more."""
        self._can_write = True
        self._sleeper.wake()

    # --- what the driver calls --------------------------------------------------------------------

    @property
    def has_data(self) -> bool:
        """Whether bytes wait to be read."""
        return bool(self._inbox)

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS layer, once the handshake is done."""
        return self._tls if self._is_secure else None

    def take(self) -> bytes | None:
        """Take what has arrived: b"" if the server has closed, None if there is nothing."""
        if self._inbox:
            data = bytes(self._inbox)
            self._inbox.clear()
            self._resume_reading()
            return data
        return b"" if self._ended else None

    def poll(self) -> bytes | None:
        """Like `take`, of what the loop had no turn to fetch too: a program may not have waited."""
        if not self._inbox and not self._ended:
            try:
                data = self._connection.recv(_PIECE)
            except OSError:
                pass  # There is nothing, or the loop will tell what broke.
            else:
                self._keep(data) if data else self.eof_received()
        return self.take()

    async def read(self, deadline: Deadline) -> bytes:
        """Wait for bytes; b"" when the server has closed."""
        if deadline.is_over:
            raise TimedOut(deadline.allowed)
        while (data := self.take()) is None:
            await self._sleeper.wait(deadline, near=True)
        if not data and isinstance(self._failure, OSError):
            raise loss(self._failure)
        return data

    async def respond(self, op: Respond) -> bytes | None:
        """Wait for bytes, and answer them in the moment when the loop hands them over.

        The server is at work again before this task, or any other, has its turn.

        Returns:
            b"" when the server has closed, of which `answer` does not hear.
        """
        if op.deadline.is_over:
            raise TimedOut(op.deadline.allowed)
        self._turn, self._context = op, contextvars.copy_context()
        self._unwritten = self._broke = None
        try:
            while self._turn is not None:
                if self._inbox:
                    self._answer(op)
                elif self._ended:
                    return await self.read(op.deadline)
                else:
                    await self._sleeper.wait(op.deadline, near=True)
        finally:
            self._turn = None
        if self._broke is not None:
            raise self._broke
        if self._unwritten is not None:
            await self.write(self._unwritten)
            op.written()
        return None

    def _answer(self, op: Respond) -> bool:
        """Answer what is here, and tell whether all of the answer is written."""
        self._turn = None
        try:
            write = self._context.run(op.answer, self.take() or b"")
            if write is None:
                return False
            self._put(write)
            if self._can_write and write.sent == len(write.data):
                op.written()
                return True
        except BaseException as error:
            # For the task to raise, whose error it is, and not for the loop to log.
            self._broke = error
        else:
            self._unwritten = write
        return False

    async def write(self, op: Write) -> None:
        """Give all of the data to the transport, waiting while it holds too much already.

        Raises:
            ProtocolError: meanwhile the server says more than it can have to say.
        """
        # What was held back may be all that keeps the server from reading.
        self._resume_reading()
        self._most = max(op.most, _INBOX_LIMIT)
        try:
            await self._drain(op)
            while op.sent < len(op.data):
                self._put(op)
                await self._drain(op)
        finally:
            self._most = _INBOX_LIMIT

    def _put(self, op: Write) -> None:
        """Give the transport as much as it takes now, and at least a piece."""
        view = memoryview(op.data)
        size = len(view)
        while op.sent < size:
            if self._ended or self.transport.is_closing():
                if isinstance(self._failure, OSError):
                    raise loss(self._failure)
                raise ConnectionLost
            piece = view[op.sent : op.sent + _PIECE]
            op.sent += len(piece)
            try:
                if self._tls is None:
                    # It keeps what it cannot send at once, and ours is soon written over.
                    self.transport.write(bytes(piece))
                else:
                    self._tls.write(piece)
                    self._flush()
            except OSError as error:
                raise loss(error, tls_code=283) from error
            if not self._can_write:
                break

    async def _drain(self, op: Write) -> None:
        """Wait while the transport holds too much; what it could send meanwhile is progress."""
        deadline = op.deadline
        if deadline.is_over:
            raise TimedOut(deadline.allowed)
        while not self._can_write and not self._ended:
            op.heard(len(self._inbox))
            held = self.transport.get_write_buffer_size()
            try:
                await self._sleeper.wait(deadline)
            except TimedOut:
                if deadline.is_over or self.transport.get_write_buffer_size() >= held:
                    raise

    async def start_tls(
        self,
        context: ssl.SSLContext,
        server_name: str,
        deadline: Deadline,
        *,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Shake hands; everything after it is encrypted.

        Raises:
            ProtocolError: bytes arrived before it. Whoever is in the middle can inject such bytes,
                and they would be read as the server's once TLS is up. RFC 3207, section 4.2.
        """
        if self._inbox:
            raise ProtocolError("bytes arrived in clear text before the TLS handshake")
        tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name, session=session
        )
        self._tls = tls
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if isinstance(self._failure, OSError):
                    raise self._failure from None
                if self._ended:
                    raise ConnectionLost("the server closed in the TLS handshake") from None
                await self._sleeper.wait(deadline, near=True)
            else:
                break
            finally:
                # An alert tells the server why; a Finished tells it that we are done.
                self._flush()
        self._is_secure = True
        # The server's first bytes may have come in one segment with the end of its handshake.
        self._decrypt()
        return tls

    def abort(self) -> None:
        """Close at once."""
        self._sleeper.stop()
        if self._tls is not None and not self._ended:
            try:
                self._tls.unwrap()
            except (ssl.SSLError, OSError):
                pass  # It only writes close_notify; the server's is not awaited.
            self._flush()
        # A transport that still holds bytes would wait for a server that does not read them.
        holds = self.transport.get_write_buffer_size() > 0
        self.transport.abort() if self._ended or holds else self.transport.close()

    # --- inside -----------------------------------------------------------------------------------

    def _rest(self) -> bytes:
        if len(self._inbox) > _INBOX_LIMIT:
            return b""
        try:
            return self._connection.recv(_PIECE)
        except OSError:
            return b""

    def _keep(self, data: bytes | memoryview) -> None:
        """Keep what arrived, decrypted if TLS is up."""
        if self._tls is None:
            self._inbox += data
        else:
            self._incoming.write(data)
            if self._is_secure:
                self._decrypt()
        if len(self._inbox) > self._most and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()

    def _decrypt(self) -> None:
        tls = self._tls
        assert tls is not None
        try:
            while True:
                data = tls.read(_RECORD)
                if not data:
                    self._ended = True
                    break
                self._inbox += data
                # To ask for more where nothing is would cost an exception.
                if not self._incoming.pending and not tls.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            # Also an alert, or an end without close_notify: what was complete before it counts.
            self._failure = error
            self._ended = True
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending and not self.transport.is_closing():
            self.transport.write(self._outgoing.read())
