"""What is written may be written over as soon as the operation is done."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from smtps.drivers.stream import Stream
from smtps.ops import Deadline, Write


class Transport(asyncio.Transport):
    """Keeps what it is given, as transports do that cannot send at once."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.kept.append(data)

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0


def test_a_transport_that_keeps_data_does_not_see_what_is_written_over_it() -> None:
    transport = Transport()
    buffer = bytearray(b"first" * 40_000)
    operation = Write(memoryview(buffer), Deadline(1.0))

    async def write() -> None:
        with socket.socket() as unused:
            stream = Stream(unused)
            stream.connection_made(transport)
            await stream.write(operation)

    asyncio.run(write())
    buffer[:] = b"later" * 40_000
    assert b"".join(bytes(piece) for piece in transport.kept) == b"first" * 40_000
    assert operation.sent == 200_000
