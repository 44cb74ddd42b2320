"""TLS over a socket: records go and come many at a time, and nothing of them is lost on the way."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest

from smtps.drivers.layer import Layer
from smtps.testing.certificates import default_authority


class Wire(socket.socket):
    """The client's end of a connection to a server in memory, which takes what it has room for."""

    def __init__(self) -> None:
        super().__init__()
        context = default_authority().issue("localhost").context
        self._to_server, self._to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = context.wrap_bio(self._to_server, self._to_client, server_side=True)
        self.room = 1 << 30
        self.is_closed = False
        self.sends: list[int] = []
        self.receives = 0

    def send(self, data: object, flags: int = 0) -> int:
        taken = bytes(memoryview(data)[: self.room])  # type: ignore[arg-type]
        if not taken:
            raise BlockingIOError
        self.room -= len(taken)
        self.sends.append(len(taken))
        return self._to_server.write(taken)

    def recv_into(self, buffer: object, nbytes: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._to_client.read(len(view))
        if not data and not self.is_closed:
            raise BlockingIOError
        self.receives += 1
        view[: len(data)] = data
        return len(data)

    def read_all(self) -> bytes:
        """Give what the server can read by now."""
        found = b""
        try:
            while piece := self.server.read(65536):
                found += piece
        except ssl.SSLWantReadError:
            pass
        return found

    def damage(self) -> None:
        """Change the last byte of what is on its way to the client."""
        data = self._to_client.read()
        self._to_client.write(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as wire:
        yield wire


@pytest.fixture
def layer(wire: Wire) -> Layer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    layer = Layer(wire, context, "localhost", None)
    for _ in range(2):
        try:
            layer.shake_hands()
        except ssl.SSLWantReadError:
            pass
        try:
            wire.server.do_handshake()
        except ssl.SSLWantReadError:
            pass
    with pytest.raises(ssl.SSLWantReadError):
        layer.recv()  # Tickets.
    wire.sends.clear()
    wire.receives = 0
    layer.gone = 0
    return layer


def test_many_records_are_written_by_one_call(wire: Wire, layer: Layer) -> None:
    assert layer.send(memoryview(b"x" * 50_000)) == 50_000
    assert len(wire.sends) == 1
    assert wire.read_all() == b"x" * 50_000


def test_all_records_that_have_arrived_are_read_by_one_call(wire: Wire, layer: Layer) -> None:
    for number in range(20):
        wire.server.write(b"250 %d\r\n" % number)
    assert layer.recv() == b"".join(b"250 %d\r\n" % number for number in range(20))
    assert wire.receives == 1


def test_what_the_system_does_not_take_goes_before_the_next_piece(wire: Wire, layer: Layer) -> None:
    wire.room = 20_000
    assert layer.send(memoryview(b"a" * 50_000)) == 50_000
    assert layer.owes
    with pytest.raises(BlockingIOError):
        layer.send(memoryview(b"b"))
    wire.room = 1 << 30
    assert layer.send(memoryview(b"b")) == 1
    assert not layer.owes
    assert wire.read_all() == b"a" * 50_000 + b"b"


def test_only_what_the_system_took_counts_as_gone(wire: Wire, layer: Layer) -> None:
    wire.room = 20_000
    layer.send(memoryview(b"a" * 50_000))
    assert layer.gone == 20_000


def test_a_part_of_a_record_is_nothing_yet(wire: Wire, layer: Layer) -> None:
    wire.server.write(b"250 ok\r\n")
    data = wire._to_client.read()
    wire._to_client.write(data[:10])
    with pytest.raises(ssl.SSLWantReadError):
        layer.recv()
    wire._to_client.write(data[10:])
    assert layer.recv() == b"250 ok\r\n"


def test_what_came_before_the_end_is_given_first(wire: Wire, layer: Layer) -> None:
    wire.server.write(b"421 bye\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        wire.server.unwrap()
    assert layer.recv() == b"421 bye\r\n"
    assert layer.holds_data
    assert layer.recv() == b""


def test_what_came_before_a_damaged_record_is_given_first(wire: Wire, layer: Layer) -> None:
    wire.server.write(b"250 first\r\n")
    wire.server.write(b"250 second\r\n")
    wire.damage()
    assert layer.recv() == b"250 first\r\n"
    assert layer.holds_data
    with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac"):
        layer.recv()


def test_the_server_is_told_of_a_damaged_record(wire: Wire, layer: Layer) -> None:
    wire.server.write(b"250 ok\r\n")
    wire.damage()
    with pytest.raises(ssl.SSLError):
        layer.recv()
    with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac"):
        wire.server.read(100)


def test_an_end_without_a_word_of_tls_is_an_error(wire: Wire, layer: Layer) -> None:
    wire.is_closed = True
    with pytest.raises(ssl.SSLEOFError):
        layer.recv()


def test_what_came_with_the_end_of_the_handshake_is_there_to_be_read(wire: Wire) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    layer = Layer(wire, context, "localhost", None)
    for _ in range(2):
        with pytest.raises(ssl.SSLWantReadError):
            layer.shake_hands()
        try:
            wire.server.do_handshake()
        except ssl.SSLWantReadError:
            pass
    wire.server.write(b"220 ready\r\n")
    layer.shake_hands()
    assert layer.holds_data
    assert layer.recv() == b"220 ready\r\n"
