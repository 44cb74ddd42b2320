"""Run as a program: take away what Windows' Python lacks, then import and send.

No Windows is at hand; what stands on POSIX alone is found all the same.
"""

# What the standard library itself needs comes first.
import asyncio  # noqa: F401
import multiprocessing  # noqa: F401
import os
import select
import socket
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
from typing import Any

MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
NAMES: dict[Any, tuple[str, ...]] = {
    os: (
        "O_DIRECTORY", "O_NOFOLLOW", "geteuid", "getpgid", "getuid", "mkfifo", "register_at_fork",
        "sched_getaffinity",
    ),
    socket: ("AF_UNIX", "MSG_DONTWAIT", "SO_REUSEPORT", "TCP_KEEPIDLE", "TCP_QUICKACK"),
    select: ("epoll", "poll"),
}  # fmt: skip


def pair(*_: object) -> tuple[socket.socket, socket.socket]:
    """Connect two sockets as Windows does, which has no pairs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


def take_away() -> None:
    """Remove what is missing elsewhere."""
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for owner, names in NAMES.items():
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
    socket.socketpair = pair  # type: ignore[assignment]


def main() -> None:
    """Import all, and send by each of the ways."""
    take_away()
    import smtps
    import smtps.cli.main
    import smtps.compat
    import smtps.testing

    item = (smtps.Envelope("from@example.com", ["to@example.com"]), b"Subject: x\r\n\r\nx\r\n")
    with smtps.testing.Sink() as sink:
        assert smtps.send(item, sink.url).ok
        with smtps.SMTPS.from_url(sink.url) as smtp:
            assert all(receipt.ok for receipt in smtp.send_many([item] * 20))
        with smtps.Pool(sink.url, connections=2) as pool:
            assert all(receipt.ok for receipt in pool.send_many([item] * 20))
        assert sink.count == 41
    print("sent 41")


if __name__ == "__main__":
    main()
