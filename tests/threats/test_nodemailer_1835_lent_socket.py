"""A socket that the program made: TLS is as needed there as anywhere. nodemailer 1835.

Programs put a socket of their own under the drop-in for smtplib, as through a proxy.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from smtps import compat

EHLO = b"250-relay\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n"


class Far:
    """The other end: waits for bytes and says something, and keeps what it hears."""

    def __init__(self, connection: socket.socket, steps: Sequence[tuple[bytes, bytes]]) -> None:
        self.heard = b""
        self._connection = connection
        self._thread = threading.Thread(target=self._talk, args=(steps,))
        self._thread.start()

    def _talk(self, steps: Sequence[tuple[bytes, bytes]]) -> None:
        for awaited, answer in steps:
            while awaited not in self.heard.upper():
                self.heard += self._connection.recv(65536)
            self._connection.sendall(answer)
        # Nobody here speaks TLS.
        self.heard += self._connection.recv(65536)
        self._connection.close()

    def join(self) -> bytes:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.heard


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.settimeout(10)
    far.settimeout(10)
    with near, far:
        yield near, far


def proxied(near: socket.socket) -> type[compat.SMTP]:
    """Give the class as programs derive it to go through a proxy."""

    class Proxied(compat.SMTP):
        def _get_socket(self, *_: object) -> Any:
            return near

    return Proxied


def test_implicit_tls_on_a_socket_of_the_program_begins_with_a_handshake(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Far(ends[1], [])
    monkeypatch.setattr(compat.socket, "create_connection", lambda *_, **__: ends[0])
    with pytest.raises(OSError, match=r"reset|closed|EOF"):
        compat.SMTP_SSL("relay.example", 465)
    ends[0].close()
    assert far.join()[:2] == b"\x16\x03"


#: What the other end says to STARTTLS, and what the client says behind it: TLS, or nothing.
ANSWERS: dict[str, tuple[bytes, bytes]] = {
    "go": (b"220 go\r\n", b"\x16\x03"),
    "go, and replies": (b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n", b""),
    "go, and half a line": (b"220 go\r\n2", b""),
    "not now": (b"454 4.7.0 not now\r\n", b""),
    "another number": (b"250 yes\r\n", b""),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_starttls_on_a_socket_of_the_program_is_tls_or_an_error(
    ends: tuple[socket.socket, socket.socket], answer: str
) -> None:
    said, follows = ANSWERS[answer]
    far = Far(ends[1], [(b"", b"220 relay\r\n"), (b"EHLO", EHLO), (b"STARTTLS\r\n", said)])
    smtp = proxied(ends[0])("relay.example", 587)
    try:
        code, _ = smtp.starttls(context=ssl.create_default_context())
    except (OSError, compat.SMTPException):
        code = 0
    assert code != 220
    smtp.close()
    ends[0].close()
    heard = far.join()
    assert heard.upper().partition(b"STARTTLS\r\n")[2][:2] == follows
    assert b"AUTH" not in heard.upper()
