"""What arrived in clear text and was not read reaches no TLS session. RFC 3207, section 4.2."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator

import pytest

from smtps import SMTPS, ProtocolError
from smtps.drivers.blocking import BlockingDriver
from smtps.drivers.stream import Stream
from smtps.ops import Deadline, StartTLS

EVIL = b"250-evil\r\n250 AUTH PLAIN\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        yield near, far


def said(far: socket.socket) -> bytes:
    try:
        return far.recv(65536)
    except BlockingIOError:
        return b""


def test_on_asyncio(ends: tuple[socket.socket, socket.socket]) -> None:
    async def secure() -> None:
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(lambda: Stream(ends[0]), sock=ends[0])
        ends[1].sendall(EVIL)
        while not stream.has_data:
            await asyncio.sleep(0)
        try:
            await stream.start_tls(ssl.create_default_context(), "h.example", Deadline(10.0))
        finally:
            stream.abort()
            # The transport closes on the next turn of the loop.
            await asyncio.sleep(0)

    with pytest.raises(ProtocolError, match="in clear text before the TLS handshake"):
        asyncio.run(secure())
    assert said(ends[1]) == b""


def test_on_a_blocking_socket(ends: tuple[socket.socket, socket.socket]) -> None:
    driver = BlockingDriver(lambda _: None)
    driver._socket = ends[0]
    driver._inbox += EVIL
    op = StartTLS(SMTPS(mail_server="h.example"), verify=True, deadline=Deadline(10.0))
    with pytest.raises(ProtocolError, match="in clear text before the TLS handshake"):
        driver.perform(op)
    assert said(ends[1]) == b""
