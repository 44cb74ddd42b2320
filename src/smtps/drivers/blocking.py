"""Carry out dialogues on a blocking socket."""

from __future__ import annotations

import concurrent.futures
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, TypeVar

from ..errors import ConnectionLost, Interrupted, ProtocolError, SMTPSError, TimedOut
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
from .failures import loss, tls_failure
from .layer import RECORD, Layer
from .race import Race
from .resumption import Resumption
from .sockets import describe_connection, quick_ack
from .tls import context_for, describe, server_name
from .verification import prepare, verify
from .waiting import Watch

__all__ = ["BlockingDriver"]

T = TypeVar("T")

_RECEIVE = 65536
# How often one who waits for another thread looks up; nothing of a socket wakes it.
_GLANCE = 0.05


class BlockingDriver:
    """One connection, driven by the thread that calls `run`.

    The socket itself is non-blocking: a write that would wait also listens, because a server may
    refuse in the middle of a message, or stop reading until its replies are read.

    Args:
        observer: called with every event.
    """

    def __init__(self, observer: Callable[[Any], None]) -> None:
        self._observer = observer
        self._socket: socket.socket | None = None
        self._layer: Layer | None = None
        self._inbox = bytearray()
        self._unsent = memoryview(b"")
        self._closed = False
        # Whether something was read since the last write, which acknowledges all before it.
        self._owes_ack = False
        # What goes on when its receipts are taken.
        self._under_way: Respond | None = None
        self._interrupted = threading.Event()
        self._resumption = Resumption()
        self._perform: dict[type, Callable[[Any], Any]] = {
            Connect: self._connect,
            Read: self._read,
            Poll: lambda _: self._look(),
            Write: self._write,
            Respond: self._respond,
            PrepareTLS: prepare,
            StartTLS: self._start_tls,
            Verify: verify,
            Close: lambda _: self._close(),
            Sleep: lambda op: self._interrupted.wait(op.seconds),
            Call: lambda op: op.function(*op.arguments),
            Await: self._await,
            Emit: lambda op: self._observer(op.event),
        }

    def begin(self) -> None:
        """Forget what interrupted the last method; called before the next one counts as running."""
        self._interrupted.clear()

    def run(self, dialogue: Dialogue[T]) -> T:
        """Carry the dialogue out to its end and give back its result."""
        self._under_way = None
        finished = self._advance(dialogue)
        assert isinstance(finished, Finished)
        value: T = finished.value
        return value

    def stream(self, dialogue: Dialogue[None]) -> Iterator[list[Receipt]]:
        """Carry the dialogue out, and give the receipts that it hands over on its way."""
        self._under_way = None
        while isinstance(step := self._advance(dialogue), Give):
            yield step.receipts

    def _advance(self, dialogue: Dialogue[Any]) -> Give | Finished:
        """Carry the dialogue out until it has something to give, or to its end."""
        perform = self._perform
        interrupted = self._interrupted
        try:
            op: Op = self._under_way or dialogue.send(None)
            self._under_way = None
            while type(op) is not Give:
                if interrupted.is_set():
                    op = self._stop(dialogue)
                    continue
                try:
                    result = perform[type(op)](op)
                except SMTPSError as error:
                    if type(op) is Emit:
                        # A handler's own error is the program's, whatever it is.
                        raise
                    op = self._stop(dialogue) if interrupted.is_set() else dialogue.throw(error)
                else:
                    # What an interruption does to the socket looks like a close by the server.
                    if result == b"" and interrupted.is_set():
                        op = self._stop(dialogue)
                    elif result is not op:
                        op = dialogue.send(result)
                    elif isinstance(op, Respond) and op.receipts:
                        self._under_way = op
                        return Give(op.take())
        except StopIteration as stop:
            return Finished(stop.value)
        return op

    def perform(self, op: Op) -> Any:
        """Carry out one operation."""
        return self._perform[type(op)](op)

    @property
    def connection(self) -> socket.socket:
        """The socket, to be watched; it must be there."""
        return self._open_socket()

    @property
    def has_data(self) -> bool:
        """Whether bytes of the server are here."""
        return bool(self._inbox)

    @property
    def holds_data(self) -> bool:
        """Whether bytes of the server are here that no look at the socket would tell of."""
        return bool(self._inbox) or (self._layer is not None and self._layer.holds_data)

    def poll(self) -> bytes | None:
        """Take what is there: b"" if the server has closed, None if nothing is."""
        return self._take_inbox() if self._inbox else self._receive()

    def interrupt(self) -> None:
        """Stop what `run` does now, from any thread or from a handler; the connection is lost."""
        self._interrupted.set()
        connection = self._socket
        if connection is not None:
            try:
                # It wakes whoever waits for the socket.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                pass  # It is gone already.

    def _stop(self, dialogue: Dialogue[Any]) -> Op:
        """Tell the dialogue that it was interrupted; what it does then is carried out."""
        self._interrupted.clear()
        return dialogue.throw(Interrupted())

    def abort(self) -> None:
        """Close the connection at once, without a word to the server."""
        if self._socket is not None:
            self._socket.close()
        self._socket = self._layer = None
        self._inbox.clear()
        self._unsent = memoryview(b"")

    def _close(self) -> None:
        if self._layer is not None:
            self._resumption.ended(self._layer.tls)
        self.abort()

    # --- operations -------------------------------------------------------------------------------

    def _connect(self, op: Connect) -> Connected:
        race = Race(op)
        connection = race.run(self._check_interrupted)
        self._socket, self._layer = connection, None
        self._watch = Watch(connection)
        self._owes_ack = False
        self._inbox.clear()
        self._closed = False
        try:
            return describe_connection(connection, race.own_name)
        except OSError as error:
            raise loss(error) from error

    def _start_tls(self, op: StartTLS) -> TLSInfo:
        context = context_for(op)
        host = server_name(op.options)
        earlier = self._resumption.find(op.options, context)
        connection = self._open_socket()
        if self._inbox:
            raise ProtocolError("bytes arrived in clear text before the TLS handshake")
        try:
            session = earlier.session if earlier else None
            layer = self._layer = Layer(connection, context, host, session)
            while True:
                try:
                    layer.shake_hands()
                    break
                except ssl.SSLWantReadError:
                    self._wait(op.deadline, read=True)
                except BlockingIOError:
                    self._wait(op.deadline, write=True)
        except TimedOut:
            raise
        except OSError as error:
            raise tls_failure(host, error) from error
        info = describe(layer.tls, op, earlier)
        self._resumption.began(op.options, info.chain)
        return info

    def _look(self) -> bytes | None:
        # To read where nothing is would cost an exception, with TLS ten times what the look costs.
        return self.poll() if self.holds_data or self._watch.has_data() else None

    def _read(self, op: Read) -> bytes | None:
        if op.patience is None:
            return self._await_data(op.deadline)
        try:
            return self._await_data(Deadline(op.patience))
        except TimedOut:
            return None

    def _await_data(self, deadline: Deadline) -> bytes:
        if self._inbox:
            return self._take_inbox()
        self._check_time(deadline)
        # The answer to what was just written is seldom here yet: to wait first saves a call.
        if not self.holds_data:
            self._wait(deadline, read=True)
        while (data := self._receive()) is None:
            self._wait(deadline, read=True)
        return data

    def _respond(self, op: Respond) -> object:
        data = self._await_data(op.deadline)
        if not data:
            return data
        write = op.answer(data)
        if write is not None:
            self._write(write)
            op.written()
        # It gives back itself where it is not at its end.
        return op if op.goes_on else None

    def _write(self, op: Write) -> bool:
        self.begin_write(op)
        while not self.go_on_writing(op):
            if self._wait(op.deadline, read=self.hears, write=True):
                self.listen()
        # A server that has closed its side answers nothing any more.
        return bool(self._inbox) or self._closed

    def begin_write(self, op: Write) -> None:
        """Make ready to write; `go_on_writing` does it."""
        self._owes_ack = False
        self._unsent = memoryview(op.data)
        self._writing = op
        if self._layer is not None:
            self._layer.gone = 0

    def go_on_writing(self, op: Write) -> bool:
        """Write what the system takes now, and tell whether that was the rest."""
        connection, layer = self._open_socket(), self._layer
        if op.deadline.until is not None:
            self._check_time(op.deadline)
        try:
            if layer is None:
                self._send(op, connection)
            else:
                self._send_encrypted(op, layer)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise loss(error, tls_code=283) from error
        op.sent = len(op.data)
        return True

    def _send(self, op: Write, connection: socket.socket) -> None:
        size = len(op.data)
        while self._unsent:
            op.sent = size - len(self._unsent)
            self._unsent = self._unsent[connection.send(self._unsent) :]

    def _send_encrypted(self, op: Write, layer: Layer) -> None:
        size = len(op.data)
        try:
            while self._unsent or layer.owes:
                self._unsent = self._unsent[layer.send(self._unsent) :]
        finally:
            # Encrypting makes nothing shorter, and what is gone of a record can be all of it.
            op.sent = min(size, layer.gone + RECORD)

    @property
    def hears(self) -> bool:
        """Whether what the server says while we write is to be listened to."""
        return not self._closed

    def _check_interrupted(self) -> None:
        if self._interrupted.is_set():
            raise Interrupted

    def _await(self, op: Await) -> Any:
        allowed = op.deadline.seconds()
        until = None if allowed is None else monotonic() + allowed
        while not concurrent.futures.wait([op.future], _GLANCE).done:
            self._check_interrupted()
            if until is not None and monotonic() >= until:
                raise TimedOut(allowed or 0)
        return op.future.result()

    # --- the socket -------------------------------------------------------------------------------

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionLost("the connection is closed")
        return self._socket

    def acknowledge(self) -> None:
        """Let the server know at once what arrived, before more of it is waited for."""
        if self._owes_ack:
            self._owes_ack = False
            quick_ack(self._open_socket())

    def _take_inbox(self) -> bytes:
        data = bytes(self._inbox)
        self._inbox.clear()
        return data

    def listen(self) -> None:
        """Keep what the server says while we write.

        Raises:
            ProtocolError: it says more than it can have to say.
        """
        data = self._receive()
        if data:
            self._inbox += data
            self._writing.heard(len(self._inbox))
        elif data is not None:
            self._closed = True

    def _receive(self) -> bytes | None:
        """Take what is there: b"" if the server has closed, None if nothing is."""
        connection, layer = self._open_socket(), self._layer
        try:
            data = connection.recv(_RECEIVE) if layer is None else layer.recv()
            self._owes_ack = True
            return data
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            # Whatever was said before is complete: a reply that is cut has no line end.
            return b""
        except OSError as error:
            raise loss(error) from error

    @staticmethod
    def _check_time(deadline: Deadline) -> None:
        # A server that is always ready would never be waited for.
        if deadline.is_over:
            raise TimedOut(deadline.allowed)

    def _wait(self, deadline: Deadline, *, read: bool = False, write: bool = False) -> bool:
        """Wait until the socket is ready, and tell whether it can be read."""
        self._open_socket()
        if read:
            self.acknowledge()
        seconds = deadline.seconds()
        readable, writable = self._watch.wait(read=read, write=write, seconds=seconds)
        if not readable and not writable:
            raise TimedOut(deadline.allowed)
        return readable
