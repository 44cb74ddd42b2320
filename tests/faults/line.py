"""A connection of the peer, in clear text or in TLS, that can be broken anywhere."""

from __future__ import annotations

import contextlib
import socket
import ssl

from smtps.testing.certificates import default_certificate

__all__ = ["Gone", "Line"]


class Gone(Exception):
    """The conversation is over."""


class Line:
    """A connection, with TLS once it is secured, that gives lines and takes texts."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.secured = False
        self._buffer = bytearray()
        self._at = 0
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None

    def secure(self) -> None:
        """Shake hands."""
        context = default_certificate().context
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._pass_out()
                self._pass_in()
            except ssl.SSLError:
                self._pass_out()
                raise
        self._pass_out()
        self.secured = True

    def hear_hello(self) -> None:
        """Let the client begin the handshake, and leave it there."""
        self._pass_in()

    def read_line(self) -> str:
        return self.read_line_bytes()[:-2].decode()

    def read_line_bytes(self) -> bytes:
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            self._more()
        return self._cut(end + 1)

    def read(self, size: int) -> bytes:
        while len(self._buffer) < self._at + size:
            self._more()
        return self._cut(self._at + size)

    def _cut(self, end: int) -> bytes:
        data = bytes(self._buffer[self._at : end])
        self._at = end
        return data

    def send(self, text: str) -> None:
        self.send_bytes(text.encode())

    def send_bytes(self, data: bytes) -> None:
        if self._tls is None:
            self.socket.sendall(data)
        else:
            self._tls.write(data)
            self._pass_out()

    def farewell(self) -> None:
        """Say close_notify, where there is TLS."""
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._pass_out()

    def alert(self) -> None:
        """Let TLS itself find a fault in what it is given, and say so."""
        if self._tls is None:
            # In the handshake: handshake_failure, fatal.
            self.socket.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
            return
        self._incoming.write(b"\x17\x03\x03\x00\x20" + b"\x00" * 32)
        with contextlib.suppress(ssl.SSLError):
            self._tls.read(1)
        self._pass_out()

    def _more(self) -> None:
        del self._buffer[: self._at]
        self._at = 0
        if self._tls is None:
            data = self.socket.recv(65_536)
            if not data:
                raise Gone
            self._buffer += data
            return
        while True:
            try:
                data = self._tls.read(65_536)
            except ssl.SSLWantReadError:
                self._pass_in()
                continue
            if not data:
                raise Gone
            self._buffer += data
            return

    def _pass_in(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise Gone
        self._incoming.write(data)

    def _pass_out(self) -> None:
        if data := self._outgoing.read():
            self.socket.sendall(data)
