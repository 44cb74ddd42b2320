"""`smtps demo`: many real messages through one TLS connection to a server of its own."""

from __future__ import annotations

import argparse
import smtplib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from statistics import median
from typing import Any

from .. import codec
from ..client import SMTPS
from ..envelope import Envelope
from .embedded import embedded_server
from .exits import OK, TEMPFAIL
from .parsing import add_command, number
from .progress import Progress
from .terminal import say

__all__ = ["add_commands"]

_EXAMPLES = """
smtps demo
smtps demo --count 5000 --compare
"""
_SENDER = "news@sender.example"


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "demo",
        run,
        about="send messages to an embedded server over TLS, and show the figures",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--count", type=number(1, 10_000_000), default=20_000, help="messages (20000)"
    )
    parser.add_argument(
        "--compare", action="store_true", help="send them with smtplib too, to the same server"
    )


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
    with embedded_server() as (url, ca_file):
        tallies = [_send_all(url, count)]
        if arguments.compare:
            tallies.append(_send_with_smtplib(url, ca_file, count))
    _show(tallies, count)
    return OK if all(tally.accepted == count for tally in tallies) else TEMPFAIL


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
        *[f"Line {line} of what is new today, and no more than that." for line in range(16)],
        "",
    ]
    template = "\r\n".join(lines).encode()
    for place in range(count):
        yield f"reader{place:07}@reader.example", template % (place, place)


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
    say()
    for title, *cells in rows:
        say(f"  {title:20}" + "".join(f"{cell:>20}" for cell in cells))
    say(f"\n  codec: {codec.implementation}, {codec.level}")


def _late(tally: _Tally) -> float:
    return sorted(tally.latencies)[int(len(tally.latencies) * 0.99)]
