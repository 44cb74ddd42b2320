"""A client as plain as can be: bytes over a socket, with nothing of the package in between."""

from __future__ import annotations

import socket
import ssl
from typing import Self

from smtps.testing import Sink

__all__ = ["ENVELOPE", "RawClient", "dial", "greet", "submit"]

ENVELOPE = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n"


class RawClient:
    """Talk to a server line by line, and read whole replies."""

    def __init__(self, host: str, port: int, *, timeout: float = 10.0) -> None:
        self.socket: socket.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def read_line(self) -> bytes:
        """Give the next line with its end, or what came of it before the server closed."""
        while b"\n" not in self._buffer:
            data = self.socket.recv(65536)
            if not data:
                break
            self._buffer += data
        line, newline, self._buffer = self._buffer.partition(b"\n")
        return line + newline

    def reply(self) -> str:
        """Give the next whole reply, its lines joined by newlines; empty if there is none."""
        lines: list[str] = []
        while line := self.read_line():
            lines.append(line.decode("latin-1").removesuffix("\r\n"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def ask(self, line: str) -> str:
        """Send one command and give its reply."""
        self.send(line.encode("utf-8") + b"\r\n")
        return self.reply()

    def rest(self) -> bytes:
        """Give everything until the server closes."""
        rest, self._buffer = self._buffer, b""
        while data := self.socket.recv(65536):
            rest += data
        return rest

    def start_tls(self, ca_file: str, host: str = "localhost") -> None:
        """Shake hands; the certificate has to be that of the authority."""
        context = ssl.create_default_context(cafile=ca_file)
        # Pythons before 3.11.4 take a connection that was cut off for one that ended.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.socket = context.wrap_socket(self.socket, server_hostname=host)

    def close(self) -> None:
        """Close without a farewell."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def dial(sink: Sink) -> RawClient:
    """Connect, and read the greeting."""
    client = RawClient(sink.host, sink.port)
    assert client.reply().startswith("220 ")
    return client


def greet(sink: Sink) -> RawClient:
    """Connect, and say EHLO."""
    client = dial(sink)
    assert client.ask("EHLO client.example").startswith("250")
    return client


def submit(client: RawClient, content: bytes) -> str:
    """Send a message by DATA, its dots already doubled, and give the last reply."""
    client.send(ENVELOPE + b"DATA\r\n")
    assert [client.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    client.send(content + b".\r\n")
    return client.reply()
