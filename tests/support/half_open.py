"""Send in a network namespace whose loopback goes down in the middle of the content.

Neither side hears anything any more, no end and no reset: a connection that is half open.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from smtps import Envelope, SMTPSError
from smtps.testing import Sink
from tests.support.fronts import Front

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def switch_loopback(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        flags = struct.unpack("16sH14x", answer)[1]
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags))


def content() -> Iterator[bytes]:
    line = b"a line of the text\r\n"
    yield b"Subject: x\r\n\r\n" + line * 10_000
    switch_loopback(False)
    for _ in range(1000):
        yield line * 10_000


def main(kind: str) -> None:
    switch_loopback(True)
    with Front(kind) as front:
        sink = Sink(record=False)
        smtp = front.at(f"{sink.url}&timeout=1")
        try:
            front.send(smtp, (Envelope("a@b.example", ["x@y.example"]), content()))
        except SMTPSError as error:
            print(type(error).__name__, error.code, getattr(error, "phase", ""))
        switch_loopback(True)
        sink.close()


if __name__ == "__main__":
    main(sys.argv[1])
