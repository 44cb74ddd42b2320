"""What a peer is asked to do, and what it has to say afterwards."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Clock", "Job", "SENDER", "make_content", "recipient"]

SENDER = "sender@sender.example"


@dataclass(frozen=True)
class Job:
    """Send `messages` messages, each to a recipient of its own, over `connections` connections.

    A peer connects first, by TLS from the first byte where `tls` says so, and then takes the time
    of the messages alone. One that connects only with a message sends one more for each
    connection before that.
    """

    host: str
    port: int
    tls: bool
    ca_file: str
    connections: int
    messages: int
    #: The file with the message, its lines ended by CRLF.
    content: str
    #: What the peer is told beside that, such as which of its methods to use.
    variant: str = ""
    #: The name of a `Work`. Where clients compose, `content` is the file of an `Order`.
    work: str = "finished"

    def dump(self) -> str:
        """Give it as the one argument of a peer's program."""
        return json.dumps(asdict(self))

    @staticmethod
    def load() -> Job:
        """Read it in a peer's program."""
        return Job(**json.loads(sys.argv[1]))

    def read_content(self) -> bytes:
        """Give the message."""
        return Path(self.content).read_bytes()

    def shares(self) -> Iterator[range]:
        """Divide the numbers of the messages among the connections."""
        for number in range(self.connections):
            yield range(number, self.messages, self.connections)


def recipient(number: int) -> str:
    """Give the address that the message of this number goes to."""
    return f"reader{number}@reader.example"


def make_content(size: int) -> bytes:
    """Make a message of so many octets: short lines of text, some of them with a dot in front.

    Raises:
        ValueError: there is no room for the header.
    """
    header = (
        f"From: {SENDER}\r\nTo: readers@reader.example\r\nSubject: What is new\r\n\r\n".encode()
    )
    room = size - len(header) - 2
    if room < 0:
        raise ValueError(f"a message has at least {len(header) + 2} octets, not {size}")
    line = b"One line of what is new today, and no more than that in it.\r\n"
    body = (line * 15 + b".A line that begins with a dot.\r\n") * (room // len(line) + 1)
    return header + body[:room].rstrip(b"\r").ljust(room, b"x") + b"\r\n"


class Clock:
    """Take what is measured, time, the processor's and memory, and print it for the harness."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._cpu = _cpu()

    def report(self, job: Job, sent: int | None = None) -> None:
        """Print what was measured; `sent` counts the messages before it too."""
        seconds = time.perf_counter() - self._start
        cpu = _cpu() - self._cpu
        messages = job.messages
        measured = {
            "messages": messages,
            "sent": messages if sent is None else sent,
            "seconds": seconds,
            "cpu": cpu,
            "peak": _peak(),
        }
        print(json.dumps(measured), flush=True)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak() -> float:
    """Give the most memory that this program ever had, in MiB."""
    # Not ru_maxrss, which begins with what the parent had when it forked.
    status = Path("/proc/self/status").read_text()
    (line,) = (one for one in status.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
