"""`smtps demo`: many real messages through one TLS connection to a server of its own."""

from __future__ import annotations

import argparse
import json
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from statistics import median
from typing import Any

from .. import codec
from ..client import SMTPS
from ..envelope import Envelope
from .exits import OK, TEMPFAIL
from .progress import Progress

__all__ = ["add_command"]

_SENDER = "news@sender.example"


def add_command(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo", help="send messages to an embedded server over TLS, and show the figures"
    )
    parser.add_argument("--count", type=_positive, default=20_000, help="messages (20000)")
    parser.add_argument(
        "--compare", action="store_true", help="send them with smtplib too, to the same server"
    )
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected a number of at least 1")
    return value


@dataclass
class _Tally:
    """What came of a run."""

    name: str
    accepted: int = 0
    refused: int = 0
    size: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)


def run(arguments: argparse.Namespace) -> int:
    """Send, show, and say whether every message was accepted."""
    count: int = arguments.count
    with _server() as (url, ca_file):
        tallies = [_send_all(url, count)]
        if arguments.compare:
            tallies.append(_send_with_smtplib(url, ca_file, count))
    _show(tallies, count)
    return OK if all(tally.accepted == count for tally in tallies) else TEMPFAIL


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """Run the embedded server in a process of its own, so that the two share no interpreter."""
    command = [sys.executable, "-m", "smtps.testing", "--tls", "starttls", "--discard"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        try:
            yield about["url"], about["ca_file"]
        finally:
            # It stops when its standard input is closed.
            process.stdin.close()
            process.wait(timeout=10)


def _messages(count: int) -> Iterator[tuple[str, bytes]]:
    """Make messages as a newsletter does: one text, and each reader's own address."""
    lines = [
        f"From: The News <{_SENDER}>",
        "To: reader%07d@reader.example",
        "Subject: What is new today",
        f"Date: {formatdate()}",
        "Message-ID: <demo.%07d@sender.example>",
        "",
        "Hello,",
        "",
        *[f"Line {number} of what is new today, and no more than that." for number in range(16)],
        "",
    ]
    template = "\r\n".join(lines).encode()
    for number in range(count):
        yield f"reader{number:07}@reader.example", template % (number, number)


def _send_all(url: str, count: int) -> _Tally:
    tally = _Tally("smtps")
    begun: list[float] = []

    def items() -> Iterator[tuple[Envelope, bytes]]:
        for recipient, content in _messages(count):
            tally.size += len(content)
            begun.append(time.perf_counter())
            yield Envelope(_SENDER, [recipient]), content

    with SMTPS.from_url(url) as smtp, Progress(count, "messages") as progress:
        smtp.connect()
        start = time.perf_counter()
        for receipt in smtp.send_many(items()):
            tally.latencies.append(time.perf_counter() - begun[receipt.index])
            tally.accepted += receipt.ok
            tally.refused += not receipt.ok
            progress.advance()
        tally.seconds = time.perf_counter() - start
    return tally


def _send_with_smtplib(url: str, ca_file: str, count: int) -> _Tally:
    tally = _Tally("smtplib")
    options = SMTPS.from_url(url)
    with (
        smtplib.SMTP(options.mail_server, options.mail_port) as client,
        Progress(count, "messages (smtplib)") as progress,
    ):
        client.starttls(context=ssl.create_default_context(cafile=ca_file))
        if options.user:
            client.login(options.user, options.password)
        start = last = time.perf_counter()
        for recipient, content in _messages(count):
            client.sendmail(_SENDER, [recipient], content)
            now = time.perf_counter()
            tally.latencies.append(now - last)
            last = now
            tally.accepted += 1
            tally.size += len(content)
            progress.advance()
        tally.seconds = time.perf_counter() - start
    return tally


def _show(tallies: list[_Tally], count: int) -> None:
    rows = [
        ("", *[tally.name for tally in tallies]),
        ("accepted", *[f"{tally.accepted:,} of {count:,}" for tally in tallies]),
        ("refused", *[f"{tally.refused:,}" for tally in tallies]),
        ("messages a second", *[f"{count / tally.seconds:,.0f}" for tally in tallies]),
        ("latency, median", *[f"{median(tally.latencies) * 1e6:,.0f} us" for tally in tallies]),
        ("latency, 99 in 100", *[f"{_late(tally) * 1e6:,.0f} us" for tally in tallies]),
        ("content", *[f"{tally.size / 1e6:,.1f} MB" for tally in tallies]),
        ("seconds", *[f"{tally.seconds:,.2f}" for tally in tallies]),
    ]
    print()  # noqa: T201
    for title, *cells in rows:
        print(f"  {title:20}" + "".join(f"{cell:>20}" for cell in cells))  # noqa: T201
    print(f"\n  codec: {codec.implementation}, {codec.level}")  # noqa: T201


def _late(tally: _Tally) -> float:
    return sorted(tally.latencies)[int(len(tally.latencies) * 0.99)]
