"""Carry out dialogues on a socket that belongs to the program."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..errors import SMTPSError, TimedOut
from ..ops import Deadline, Dialogue, Op, Read, Respond, Write
from .blocking import BlockingDriver
from .failures import loss
from .layer import RECORD
from .waiting import Watch

__all__ = ["LentDriver"]

T = TypeVar("T")

_RECEIVE = 65536
# What the buffers of any system hold while the server is not reading: to write so much needs no
# listening, and one call does it.
_AT_ONCE = 16384


class LentDriver(BlockingDriver):
    """One connection that the program made, and may use, wrap in TLS or replace by itself.

    The socket stays as it was lent: blocking, with the timeout that the program gave it, which
    bounds each operation. An operation's own deadline counts where it has one.
    """

    def lend(self, connection: socket.socket) -> None:
        """Begin anew with this socket."""
        self._socket = connection
        self._watch = Watch(connection)
        self._inbox.clear()
        self._closed = self._owes_ack = False

    def run_on(self, connection: socket.socket, dialogue: Dialogue[T]) -> T:
        """Run on the socket that was lent last.

        It is held no longer than that: it closes when the program lets go of it.
        """
        self._socket = connection
        try:
            return self.run(dialogue)
        finally:
            self._socket = None

    def run(self, dialogue: Dialogue[T]) -> T:
        """Carry the dialogue out to its end and give back its result; nobody interrupts it."""
        perform = self._perform
        try:
            op: Op = dialogue.send(None)
            while True:
                try:
                    result = perform[type(op)](op)
                except SMTPSError as error:
                    op = dialogue.throw(error)
                else:
                    op = dialogue.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value

    @property
    def holds_data(self) -> bool:
        """Whether bytes of the server are here that no look at the socket would tell of."""
        if self._inbox:
            return True
        connection = self._open_socket()
        return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0

    def _read(self, op: Read | Respond) -> bytes:
        if self._inbox:
            return self._take_inbox()
        connection = self._open_socket()
        # Where this is the second read in a row, the server may wait for a word of the first.
        self.acknowledge()
        seconds = op.deadline.seconds()
        if seconds is not None and not self._is_ready(seconds):
            raise TimedOut(op.deadline.allowed)
        try:
            data = connection.recv(_RECEIVE)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        except TimeoutError as error:
            raise TimedOut(connection.gettimeout() or 0) from error
        except OSError as error:
            raise loss(error) from error
        self._owes_ack = True
        return data

    def poll(self) -> bytes | None:
        """Take what is there: b"" if the server has closed, None if nothing is."""
        if self._inbox or not self._is_ready(0):
            return self._take_inbox() if self._inbox else None
        # What is there may be of TLS alone, and nothing to read.
        with self._unblocked():
            return super().poll()

    def _write(self, op: Write) -> bool:
        self._owes_ack = False
        if len(op.data) > _AT_ONCE:
            with self._unblocked() as timeout:
                op.deadline = Deadline(timeout)
                return super()._write(op)
        connection = self._open_socket()
        try:
            connection.sendall(op.data)
        except TimeoutError as error:
            raise TimedOut(connection.gettimeout() or 0) from error
        except OSError as error:
            raise loss(error, tls_code=283) from error
        op.sent = len(op.data)
        return bool(self._inbox)

    def _send(self, op: Write, connection: socket.socket) -> None:
        if not isinstance(connection, ssl.SSLSocket):
            super()._send(op, connection)
            return
        size = len(op.data)
        while self._unsent:
            # What TLS could not send is encrypted by then, and part of it may be gone: it counts as
            # sent, and is kept to the size of a record.
            op.sent = min(size, size - len(self._unsent) + RECORD)
            self._unsent = self._unsent[connection.send(self._unsent[:RECORD]) :]

    @contextmanager
    def _unblocked(self) -> Iterator[float | None]:
        """Let the socket wait for nothing meanwhile, and give its timeout."""
        connection = self._open_socket()
        timeout = connection.gettimeout()
        connection.settimeout(0)
        try:
            yield timeout
        finally:
            connection.settimeout(timeout)

    def _is_ready(self, seconds: float) -> bool:
        return self.holds_data or self._watch.wait(read=True, write=False, seconds=seconds)[0]
