"""A byte stream on asyncio, with TLS that starts when it is told to.

asyncio's own `start_tls` hands bytes that arrived in clear text to the TLS session (they would be
taken for the server's), so the stream is a protocol of its own around `ssl.MemoryBIO`: what arrived
before the handshake is the caller's to refuse.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import cast

from ..errors import ConnectionLost, ProtocolError, TimedOut
from ..ops import Deadline, Write
from .failures import loss
from .sockets import quick_ack

__all__ = ["Stream"]

# How much may wait to be read before the transport is paused.
_INBOX_LIMIT = 1 << 18
_RECORD = 65536


class Stream(asyncio.Protocol):
    """The bytes of one connection, in clear text or through TLS.

    Args:
        connection: the socket that the loop makes the transport for.
    """

    transport: asyncio.Transport

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inbox = bytearray()
        self._failure: Exception | None = None
        self._ended = False
        self._can_write = True
        #: How much may wait to be read: while something is written, what `Write` says.
        self._most = _INBOX_LIMIT
        self._waiter: asyncio.Future[None] | None = None
        #: What the present wait was allowed, until when, and what looks after that.
        self._deadline: Deadline | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLObject | None = None
        self._is_secure = False
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    # --- what the loop calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what arrived, decrypted if TLS is up."""
        quick_ack(self._connection)
        if self._tls is None:
            self._inbox += data
        else:
            self._incoming.write(data)
            if self._is_secure:
                self._decrypt()
        if len(self._inbox) > self._most:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note that the server has closed; what it said before still counts."""
        self._ended = True
        self._incoming.write_eof()
        self._wake()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Note that the connection is gone, and hear what the server said before that."""
        # A write that fails closes the transport, which then looks no more at what has arrived:
        # the 552 or 421 that says why. The socket itself is closed only after this call.
        while error is not None and (data := self._rest()):
            self.data_received(data)
        self._ended = True
        self._failure = self._failure or error
        self._stop_timer()
        self._wake()

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self._can_write = False

    def resume_writing(self) -> None:
        """The transport can take more."""
        self._can_write = True
        self._wake()

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
            self.transport.resume_reading()
            return data
        return b"" if self._ended else None

    def poll(self) -> bytes | None:
        """Like `take`, of what the loop had no turn to fetch too: a program may not have waited."""
        if not self._inbox and not self._ended:
            try:
                data = self._connection.recv(_RECORD)
            except OSError:
                pass  # There is nothing, or the loop will tell what broke.
            else:
                self.data_received(data) if data else self.eof_received()
        return self.take()

    async def read(self, deadline: Deadline) -> bytes:
        """Wait for bytes; b"" when the server has closed."""
        if deadline.is_over:
            raise TimedOut(deadline.allowed)
        while (data := self.take()) is None:
            await self._wait(deadline)
        if not data and isinstance(self._failure, OSError):
            raise loss(self._failure)
        return data

    async def write(self, op: Write) -> None:
        """Give all of the data to the transport, waiting while it holds too much already.

        Raises:
            ProtocolError: meanwhile the server says more than it can have to say.
        """
        # What was held back may be all that keeps the server from reading.
        if len(self._inbox) > _INBOX_LIMIT:
            self.transport.resume_reading()
        self._most = max(op.most, _INBOX_LIMIT)
        try:
            await self._write(op)
        finally:
            self._most = _INBOX_LIMIT

    async def _write(self, op: Write) -> None:
        view = memoryview(op.data)
        for start in range(0, len(view), _RECORD):
            if self._ended or self.transport.is_closing():
                if isinstance(self._failure, OSError):
                    raise loss(self._failure)
                raise ConnectionLost
            piece = view[start : start + _RECORD]
            op.sent = start + len(piece)
            if self._tls is None:
                # Transports keep what they cannot send at once, and ours is soon written over.
                self.transport.write(bytes(piece))
            else:
                self._tls.write(piece)
                self._flush()
            await self._drain(op)

    async def _drain(self, op: Write) -> None:
        """Wait while the transport holds too much; what it could send meanwhile is progress."""
        deadline = op.deadline
        if deadline.is_over:
            raise TimedOut(deadline.allowed)
        while not self._can_write and not self._ended:
            op.heard(len(self._inbox))
            held = self.transport.get_write_buffer_size()
            try:
                await self._wait(deadline)
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
                await self._wait(deadline)
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
        self._stop_timer()
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
            return self._connection.recv(_RECORD)
        except OSError:
            return b""

    def _decrypt(self) -> None:
        assert self._tls is not None
        try:
            while data := self._tls.read(_RECORD):
                self._inbox += data
            self._ended = True
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

    async def _wait(self, deadline: Deadline) -> None:
        """Wait until the loop has called one of the methods above."""
        seconds = deadline.seconds()
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        if seconds is not None:
            self._allow(loop, deadline, loop.time() + seconds)
        try:
            await self._waiter
        finally:
            self._waiter = self._deadline = None

    def _allow(self, loop: asyncio.AbstractEventLoop, deadline: Deadline, until: float) -> None:
        """Let the present wait take until a moment of the loop.

        A timer is set only where none goes off before: to set and to cancel one for each reply
        takes longer than the rest of a wait.
        """
        self._deadline, self._until = deadline, until
        if self._timer is None or self._timer.when() > until:
            self._stop_timer()
            self._timer = loop.call_at(until, self._expire, loop)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._deadline is None or self._waiter is None or self._waiter.done():
            return
        if loop.time() < self._until:
            self._timer = loop.call_at(self._until, self._expire, loop)
        else:
            self._waiter.set_exception(TimedOut(self._deadline.allowed))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
