"""The bytes of one connection: buffered lines and content in, replies of one batch out together."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable

from .records import SinkConnection

__all__ = ["Gone", "LineTooLong", "Stream", "Trap"]

_READ_SIZE = 65536
#: RFC 4954 4.3.1 asks for 12,288 octets in AUTH; every other command is far shorter.
_LONGEST_LINE = 16384
_END_OF_DATA = b"\r\n.\r\n"


class Gone(Exception):
    """The conversation is over: the client left, or a fault ended it."""


class LineTooLong(Exception):
    """The client sent a command without an end."""


class Trap:
    """Something that happens once, when a number of bytes was moved."""

    def __init__(self, at: int, spring: Callable[[], None]) -> None:
        self.at = at
        self.spring = spring


class Stream:
    """A socket with a buffer on either side; replies leave when nothing more can be read.

    So the replies to commands that came together leave together, in one write.

    Args:
        tally: where the bytes are counted.
        split: send byte by byte, each in a packet of its own.
    """

    def __init__(
        self, connection: socket.socket, tally: SinkConnection, *, split: bool = False
    ) -> None:
        self._socket = connection
        self._tally = tally
        #: A Unix socket has no such thing as TCP.
        self._is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6)
        if self._is_tcp:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._split = split
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        self._lock = threading.Lock()
        self._stopped = False
        self.on_received: Trap | None = None
        self.on_sent: Trap | None = None

    # --- in ---------------------------------------------------------------------------------------

    @property
    def ahead(self) -> bool:
        """Whether the client sent more than was read so far."""
        return bool(self._buffer)

    def poll(self) -> bool:
        """Whether the client has said anything, without waiting for it."""
        if not self._buffer:
            self._socket.setblocking(False)
            try:
                self._buffer += self._socket.recv(_READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            finally:
                self._socket.setblocking(True)
        return bool(self._buffer)

    def read_line(self) -> bytes:
        """Give the next line up to its LF, and with it.

        Raises:
            Gone: there is none.
            LineTooLong: it has no end within bounds.
        """
        scanned = 0
        while (end := self._buffer.find(b"\n", scanned)) < 0:
            scanned = len(self._buffer)
            if scanned > _LONGEST_LINE:
                raise LineTooLong
            self._fill()
        return self._take(end + 1)

    def read(self, size: int) -> bytes:
        """Give so many bytes."""
        while len(self._buffer) < size:
            self._fill()
        return self._take(size)

    def skip(self, size: int) -> None:
        """Pass over so many bytes, however many, in little memory."""
        while len(self._buffer) < size:
            size -= len(self._buffer)
            self._buffer.clear()
            self._fill()
        del self._buffer[:size]

    def read_data(self) -> bytes:
        """Give the content that DATA announced, up to and with the line that is a lone dot."""
        if self._is_empty_data():
            return self._take(3)
        scanned = 0
        while (end := self._buffer.find(_END_OF_DATA, scanned)) < 0:
            scanned = max(0, len(self._buffer) - 4)
            self._acknowledge()
            self._fill()
        return self._take(end + len(_END_OF_DATA))

    def skip_data(self) -> int:
        """Pass over the content that DATA announced, in little memory.

        Returns:
            How many bytes it had, with the line that is a lone dot.
        """
        if self._is_empty_data():
            del self._buffer[:3]
            return 3
        skipped = 0
        while (end := self._buffer.find(_END_OF_DATA)) < 0:
            surplus = max(0, len(self._buffer) - 4)
            skipped += surplus
            del self._buffer[:surplus]
            self._acknowledge()
            self._fill()
        del self._buffer[: end + len(_END_OF_DATA)]
        return skipped + end + len(_END_OF_DATA)

    def drain(self) -> None:
        """Read whatever still comes, until the client closes or the sink stops."""
        self._buffer.clear()
        while self._socket.recv(_READ_SIZE):
            pass

    def _is_empty_data(self) -> bool:
        while len(self._buffer) < 3:
            self._fill()
        return self._buffer.startswith(b".\r\n")

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _acknowledge(self) -> None:
        """Tell the client that this much came; with Nagle on it holds the next until it knows."""
        if self._is_tcp and hasattr(socket, "TCP_QUICKACK"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _fill(self) -> None:
        if self._replies:
            self.flush()
        size = _READ_SIZE
        trap = self.on_received
        if trap is not None:
            size = min(size, trap.at - self._tally.received)
            if size <= 0:
                self.on_received = None
                trap.spring()
                return
        data = self._socket.recv(size)
        if not data:
            raise Gone
        self._tally.received += len(data)
        self._buffer += data

    # --- out --------------------------------------------------------------------------------------

    def write(self, reply: bytes) -> None:
        """Send this with the next batch."""
        self._replies.append(reply)

    def flush(self) -> None:
        """Send what was written so far, in one piece."""
        batch = b"".join(self._replies)
        self._replies.clear()
        trap = self.on_sent
        if trap is None or self._tally.sent + len(batch) < trap.at:
            self._send(batch)
            return
        self.on_sent = None
        allowed = trap.at - self._tally.sent
        self._send(batch[:allowed])
        trap.spring()
        self._send(batch[allowed:])

    def pour(self, pieces: Iterable[bytes]) -> None:
        """Send the pieces one after another, each as soon as there is room for it."""
        self.flush()
        for piece in pieces:
            self.write(piece)
            self.flush()

    def _send(self, data: bytes) -> None:
        if self._split:
            for at in range(len(data)):
                self._socket.sendall(data[at : at + 1])
        elif data:
            self._socket.sendall(data)
        self._tally.sent += len(data)

    # --- the connection itself --------------------------------------------------------------------

    def start_tls(self, context: ssl.SSLContext) -> str:
        """Shake hands as a server and forget what came in clear text before. RFC 3207, 4.2.

        Returns:
            The version of TLS.
        """
        self._buffer.clear()
        with self._lock:
            if self._stopped:
                raise Gone
            secured = context.wrap_socket(
                self._socket, server_side=True, do_handshake_on_connect=False
            )
            self._socket = secured
        secured.do_handshake()
        self._tally.certificate = secured.getpeercert(binary_form=True) or b""
        self._tally.resumed = bool(secured.session_reused)
        return secured.version() or ""

    @property
    def bindings(self) -> dict[str, bytes]:
        """What the TLS library names this connection by. RFC 5929: not with TLS 1.3."""
        connection = self._socket
        if not isinstance(connection, ssl.SSLSocket) or connection.version() == "TLSv1.3":
            return {}
        return {"tls-unique": connection.get_channel_binding("tls-unique") or b""}

    def stop(self) -> None:
        """Make every pending and later read and write of the owner's thread end; for others."""
        with self._lock:
            self._stopped = True
            self._shutdown(socket.SHUT_RDWR)

    def half_close(self) -> None:
        """Send no more, so that the client reads an end."""
        self._shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close without a farewell; the client reads what was sent, and then an end."""
        with self._lock:
            self._stopped = True
            self._discard_arrived()
            self._socket.close()

    def close_notify(self) -> None:
        """Say in TLS that no more follows, so that nobody can have cut off the end."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.setblocking(False)
            try:
                self._socket.unwrap()
            except OSError:  # The client has yet to say the same, or is gone.
                pass

    def reset(self) -> None:
        """Tear the connection down; what is under way in either direction may be lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._lock:
            self._stopped = True
            self._socket.close()

    def _shutdown(self, how: int) -> None:
        try:
            # SSLSocket.shutdown would drop the TLS layer that the owner's thread may be using.
            socket.socket.shutdown(self._socket, how)
        except OSError:  # The client was faster.
            pass

    def _discard_arrived(self) -> None:
        # Linux answers with a reset, which can overtake the last reply, if bytes are left unread.
        try:
            self._socket.setblocking(False)
            while socket.socket.recv(self._socket, _READ_SIZE):
                pass
        except OSError:
            pass
