"""`smtps demo`: many real messages through one TLS connection to a server of its own."""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

from .. import codec
from ..client import SMTPS
from .embedded import embedded_server
from .exits import OK, TEMPFAIL
from .measuring import Load, Run, by_send_many, by_smtplib
from .parsing import add_command, number
from .progress import Progress
from .terminal import say

__all__ = ["add_commands"]

_EXAMPLES = """
smtps demo
smtps demo --count 5000 --compare
"""


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "demo",
        _demo,
        about="send 20,000 messages to a server of its own over TLS",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--count", type=number(1, 10_000_000), default=20_000, metavar="N", help="messages (20000)"
    )
    parser.add_argument(
        "--compare", action="store_true", help="send them with smtplib too, to the same server"
    )


def _demo(arguments: argparse.Namespace) -> int:
    """Send, show, and say whether every message was accepted."""
    count: int = arguments.count
    load = Load(count)
    with embedded_server() as (url, _):
        with Progress(count, "messages") as bar:
            runs = {"smtps": by_send_many(SMTPS.from_url(url), load, bar.advance)}
        if arguments.compare:
            with Progress(count, "messages (smtplib)") as bar:
                runs["smtplib"] = by_smtplib(SMTPS.from_url(url), load, bar.advance)
    _show(runs, count)
    return OK if all(run.accepted == count for run in runs.values()) else TEMPFAIL


def _show(runs: dict[str, Run], count: int) -> None:
    tallies = runs.values()
    rows = [
        ("", *runs),
        ("accepted", *[f"{run.accepted:,} of {count:,}" for run in tallies]),
        ("refused", *[f"{run.refused:,}" for run in tallies]),
        ("messages a second", *[f"{run.rate:,.0f}" for run in tallies]),
        ("latency, median", *[f"{median(run.latencies) * 1e6:,.0f} us" for run in tallies]),
        ("latency, 99 in 100", *[f"{_late(run) * 1e6:,.0f} us" for run in tallies]),
        ("content", *[f"{run.size / 1e6:,.1f} MB" for run in tallies]),
        ("seconds", *[f"{run.seconds:,.2f}" for run in tallies]),
    ]
    say()
    for title, *cells in rows:
        say(f"  {title:20}" + "".join(f"{cell:>18}" for cell in cells))
    say(f"\n  codec: {codec.implementation}, {codec.level}")


def _late(run: Run) -> float:
    return sorted(run.latencies)[int(len(run.latencies) * 0.99)]
