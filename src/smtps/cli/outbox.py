"""`smtps queue`, `smtps run` and `smtps status`: a queue folder from the command line."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from types import FrameType
from typing import Any

from ..client import SMTPS
from ..errors import BadValue, SMTPSError
from ..outbox import Listed, Outbox, Report
from ..pool import Pool
from .exits import OK, TEMPFAIL, UNAVAILABLE, USAGE
from .progress import Progress

try:
    import resource
except ImportError:  # Only POSIX has it, as the rest of the queue.
    resource = None  # type: ignore[assignment]

__all__ = ["add_commands"]

# A relay that is down is asked again after so many seconds, ever longer.
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0


def add_commands(commands: Any) -> None:
    """Add the subcommands to the parser."""
    queue = commands.add_parser("queue", help="put messages into a queue folder")
    queue.add_argument("folder", help="it must exist")
    queue.add_argument("files", nargs="*", help="finished messages (standard input)")
    queue.add_argument("--sender", help="of the envelope, in place of the message's own")
    queue.add_argument(
        "--recipient", action="append", help="of the envelope, in place of the message's own"
    )
    queue.add_argument("--json", action="store_true", help="print a list of the ids")
    queue.set_defaults(run=_queue)

    run = commands.add_parser("run", help="send what is in a queue folder and due")
    run.add_argument("folder")
    run.add_argument(
        "--url", help="the relay, without a password; the variable SMTPS_URL may hold one"
    )
    run.add_argument("--watch", action="store_true", help="go on until SIGTERM ends it")
    run.add_argument("--interval", type=_seconds, default=5.0, help="seconds between two looks (5)")
    run.add_argument(
        "--connections", type=_connections, default=1, help="to the relay, at most (1)"
    )
    run.add_argument("--keep", action="store_true", help="name sent messages .sent")
    run.add_argument(
        "--in-doubt",
        choices=["hold", "resend", "assume-sent"],
        default="hold",
        help="what to do with messages whose answer was lost (hold)",
    )
    run.add_argument("--json", action="store_true", help="print the report as JSON")
    run.set_defaults(run=_run)

    status = commands.add_parser("status", help="show what waits in a queue folder, and why")
    status.add_argument("folder")
    status.add_argument("--json", action="store_true", help="print it as JSON")
    status.add_argument("--limit", type=int, default=100, help="messages shown (100; 0: all)")
    status.add_argument("--retry", metavar="ID", help="make a message due at once")
    status.add_argument("--remove", metavar="ID", help="take a message away")
    status.set_defaults(run=_status)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError("expected seconds, less than a day")
    return value


def _connections(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("expected 1 to 1000")
    return value


# --- queue ----------------------------------------------------------------------------------------


def _queue(arguments: argparse.Namespace) -> int:
    outbox = Outbox(arguments.folder)
    ids = [
        outbox.put(message, sender=arguments.sender, recipients=arguments.recipient)
        for message in _messages(arguments.files)
    ]
    print(json.dumps(ids) if arguments.json else "\n".join(ids))  # noqa: T201
    return OK


def _messages(files: list[str]) -> Iterator[Message]:
    for file in files or ["-"]:
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise BadValue(file, f"cannot be read: {error.strerror}", code=302) from error
        yield BytesParser(policy=SMTP).parsebytes(data)


# --- run ------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    url = arguments.url or os.environ.get("SMTPS_URL")
    if not url:
        print("smtps: name the relay by --url or SMTPS_URL", file=sys.stderr)  # noqa: T201
        return USAGE
    outbox = Outbox(arguments.folder, keep=arguments.keep, in_doubt=arguments.in_doubt)
    _allow_files()
    several = arguments.connections > 1
    with Pool(url, connections=arguments.connections) if several else SMTPS.from_url(url) as relay:
        if arguments.watch:
            return _watch(outbox, relay, arguments)
        report = _run_once(outbox, relay)
    _show_report(report, arguments.json)
    if report.failed or report.in_doubt:
        return UNAVAILABLE
    return TEMPFAIL if report.deferred or report.not_due else OK


def _allow_files() -> None:
    """Have as many files open as the system allows: each message on its way is one."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run_once(outbox: Outbox, relay: SMTPS | Pool) -> Report:
    waiting = outbox.count()["queued"]
    with Progress(waiting, "messages") as bar:
        return outbox.run(relay, progress=lambda _: bar.advance())


def _watch(outbox: Outbox, relay: SMTPS | Pool, arguments: argparse.Namespace) -> int:
    """Run again and again, until a signal says that it is enough; then end after this message."""
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()
        outbox.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    pause = _FIRST_PAUSE
    try:
        while not ending.is_set():
            wait: float = arguments.interval
            try:
                report = outbox.run(relay)
            except SMTPSError as error:
                if not error.retryable:
                    raise
                print(f"smtps: {error}; again in {pause:g} s", file=sys.stderr)  # noqa: T201
                wait, pause = pause, min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                if report.done:
                    _show_report(report, arguments.json)
            ending.wait(wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return OK


def _show_report(report: Report, as_json: bool) -> None:
    if as_json:
        facts = {
            "sent": report.sent,
            "deferred": report.deferred,
            "not_due": report.not_due,
            "failed": report.failed,
            "in_doubt": report.in_doubt,
            "skipped": report.skipped,
            "next_due": report.next_due,
        }
        print(json.dumps(facts), flush=True)  # noqa: T201
        return
    waiting = report.deferred + report.not_due
    print(  # noqa: T201
        f"{report.sent:,} sent, {waiting:,} waiting, {len(report.failed):,} failed,"
        f" {len(report.in_doubt):,} in doubt",
        flush=True,
    )
    for title, names in (
        ("failed", report.failed),
        ("in doubt", report.in_doubt),
        ("left alone", report.skipped),
    ):
        for name, why in names.items():
            print(f"  {name} {title}: {why}", flush=True)  # noqa: T201


# --- status ---------------------------------------------------------------------------------------


def _status(arguments: argparse.Namespace) -> int:
    outbox = Outbox(arguments.folder)
    if arguments.retry:
        outbox.retry(arguments.retry)
    if arguments.remove:
        outbox.remove(arguments.remove)
    counts = outbox.count()
    listed: list[Listed] = []
    for one in outbox.walk("queued", "sending", "failed"):
        if arguments.limit and len(listed) >= arguments.limit:
            break
        listed.append(one)
    if arguments.json:
        facts = {"counts": counts, "messages": [asdict(one) for one in listed]}
        print(json.dumps(facts, default=datetime.isoformat))  # noqa: T201
        return OK
    print(", ".join(f"{count:,} {state}" for state, count in counts.items()))  # noqa: T201
    for one in listed:
        print(_line(one))  # noqa: T201
    shown = counts["queued"] + counts["sending"] + counts["failed"] - len(listed)
    if shown > 0:
        print(f"and {shown:,} more; --limit 0 shows them")  # noqa: T201
    return OK


def _line(one: Listed) -> str:
    since = f"since {one.queued_at:%Y-%m-%d %H:%M:%S}" if one.queued_at else ""
    tries = f", {one.attempts} attempts" if one.attempts else ""
    later = f", next {one.next_attempt:%Y-%m-%d %H:%M:%S}" if one.next_attempt else ""
    who = ", ".join(recipient.address for recipient in one.recipients[:3])
    more = f" and {len(one.recipients) - 3} more" if len(one.recipients) > 3 else ""
    why = f"\n    {one.reason}" if one.reason else ""
    return f"{one.id}  {one.state} {since}{tries}{later}\n    to {who}{more}{why}"
