"""Send in a network namespace whose loopback goes down in the middle of it.

Neither side hears anything any more, no end and no reset: a connection that is half open.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from smtps import Envelope, SMTPSError
from smtps.drivers import sockets
from smtps.testing import Fault, Sink
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


def stop_in_content(front: Front) -> None:
    """Lose the peer while content is written; the timeout ends it."""
    with Sink(record=False) as sink:
        smtp = front.at(f"{sink.url}&timeout=1")
        report(front, smtp, content())
        switch_loopback(True)


def wait_for_ever(front: Front) -> None:
    """Lose the peer while a reply is awaited without any limit; the system's probes end it."""
    for name, value in {sockets._IDLE: 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 1}.items():
        sockets._PROBES[name] = value
    with Sink(faults=[Fault(on="MAIL", stall=True)]) as sink:
        smtp = front.at(f"{sink.url}&timeout=0&keep_alive=true")
        front.connect(smtp)
        # By then MAIL was taken by the other side, and nothing more is under way.
        threading.Timer(0.5, switch_loopback, [False]).start()
        report(front, smtp, [b"Subject: x"])
        switch_loopback(True)


def report(front: Front, smtp: Any, chunks: Iterable[bytes]) -> None:
    try:
        front.send(smtp, (Envelope("a@b.example", ["x@y.example"]), chunks))
    except SMTPSError as error:
        print(type(error).__name__, error.code, getattr(error, "phase", ""))


if __name__ == "__main__":
    switch_loopback(True)
    with Front(sys.argv[1]) as chosen:
        {"content": stop_in_content, "reply": wait_for_ever}[sys.argv[2]](chosen)
