"""`smtps queue`, `smtps run` and `smtps status`: a queue folder from the command line."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict
from datetime import datetime
from types import FrameType
from typing import Any

from ..client import SMTPS
from ..errors import BadValue, SMTPSError
from ..outbox import Listed, Outbox, Report
from ..pool import Pool
from .configuration import Configuration
from .exits import NOINPUT, OK, TEMPFAIL, UNAVAILABLE, USAGE, Failure
from .finished import read_finished
from .parsing import add_command, number, seconds
from .progress import Progress
from .terminal import complain, counted, plain, say, say_json

try:
    import resource
except ImportError:  # Only POSIX has it, as the rest of the queue.
    resource = None  # type: ignore[assignment]

__all__ = ["add_commands"]

# A relay that is down is asked again after so many seconds, ever longer.
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0


_QUEUE = """
smtps queue ~/mail letter.eml
mail-maker | smtps queue ~/mail --recipient bob@b.example
"""
_RUN = """
smtps run ~/mail --url smtp://relay.example
smtps run ~/mail --watch --connections 4
"""
_STATUS = """
smtps status ~/mail
smtps status ~/mail --retry 20261125T124712.169425-eb6f2a9f75b1
"""
_FOLDER = "the queue folder, which must exist"


def add_commands(commands: Any) -> None:
    """Add the subcommands to the parser."""
    queue = add_command(
        commands,
        "queue",
        _queue,
        about="put messages into a queue folder",
        words="FOLDER [FILE ...]",
        examples=_QUEUE,
    )
    queue.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    queue.add_argument(
        "files", nargs="*", metavar="FILE", help="finished messages (standard input)"
    )
    queue.add_argument(
        "--sender", metavar="ADDRESS", help="of the envelope, in place of the message's own"
    )
    queue.add_argument(
        "--recipient",
        action="append",
        metavar="ADDRESS",
        help="of the envelope, in place of the message's own",
    )
    queue.add_argument("--json", action="store_true", help="print a list of the ids")

    run = add_command(
        commands,
        "run",
        _run,
        about="send what is in a queue folder and due",
        words="[FOLDER]",
        examples=_RUN,
        relay=True,
    )
    run.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="the queue folder (outbox of the configuration)"
    )
    run.add_argument("--watch", action="store_true", help="go on until SIGTERM or Ctrl-C ends it")
    run.add_argument(
        "--interval",
        type=seconds,
        default=5.0,
        metavar="SECONDS",
        help="seconds between two looks (5)",
    )
    run.add_argument(
        "--connections",
        type=number(1, 1000),
        default=1,
        metavar="N",
        help="to the relay, at most (1)",
    )
    run.add_argument("--keep", action="store_true", help="name sent messages .sent")
    run.add_argument(
        "--in-doubt",
        choices=["hold", "resend", "assume-sent"],
        default="hold",
        help="what to do with messages whose answer was lost (hold)",
    )
    run.add_argument("--json", action="store_true", help="print the report as JSON")

    status = add_command(
        commands,
        "status",
        _status,
        about="show what waits in a queue folder, and why",
        words="FOLDER",
        examples=_STATUS,
    )
    status.add_argument("folder", metavar="FOLDER", help=_FOLDER)
    status.add_argument("--json", action="store_true", help="print it as JSON")
    status.add_argument(
        "--limit",
        type=number(0, 10**9),
        default=100,
        metavar="N",
        help="messages shown (100; 0: all)",
    )
    status.add_argument("--retry", metavar="ID", help="make a message due at once")
    status.add_argument("--remove", metavar="ID", help="take a message away")


# --- queue ----------------------------------------------------------------------------------------


def _queue(arguments: argparse.Namespace) -> int:
    outbox = _opened(arguments.folder)
    ids = []
    for file in arguments.files or ["-"]:
        message = read_finished(file)
        envelope = message.envelope(arguments.sender, arguments.recipient)
        ids.append(outbox.put((envelope, message.content())))
    say(json.dumps(ids) if arguments.json else "\n".join(ids))
    return OK


# --- run ------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    configuration = Configuration.load(arguments)
    folder = arguments.folder or configuration.own("outbox")
    if not folder:
        raise Failure("no folder is named; smtps run FOLDER, or outbox = FOLDER", USAGE)
    outbox = _opened(folder, keep=arguments.keep, in_doubt=arguments.in_doubt)
    _allow_files()
    # What cannot be had is said before, and a pool does not ask for a password again.
    smtp = configuration.relay()
    several = arguments.connections > 1
    with Pool(configuration.relay, connections=arguments.connections) if several else smtp as relay:
        if arguments.watch:
            return _watch(outbox, relay, arguments)
        report = _run_once(outbox, relay)
    _show_report(report, arguments.json)
    if report.failed or report.in_doubt:
        return UNAVAILABLE
    return TEMPFAIL if report.deferred or report.not_due else OK


def _opened(folder: str, **options: Any) -> Outbox:
    """Open a queue folder.

    Raises:
        Failure: it is not there, or not to be trusted.
    """
    try:
        return Outbox(folder, **options)
    except BadValue as error:
        raise Failure(str(error), NOINPUT) from error


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
    if sys.stderr.isatty():
        complain(f"watching {outbox.folder}; Ctrl-C ends it")
    try:
        while not ending.is_set():
            wait: float = arguments.interval
            try:
                report = outbox.run(relay)
            except SMTPSError as error:
                if not error.retryable:
                    raise
                complain(f"{error}; again in {pause:g} s")
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
        say_json(facts)
        return
    waiting = report.deferred + report.not_due
    say(
        f"{report.sent:,} sent, {waiting:,} waiting, {len(report.failed):,} failed,"
        f" {len(report.in_doubt):,} in doubt"
    )
    for title, names in (
        ("failed", report.failed),
        ("in doubt", report.in_doubt),
        ("left alone", report.skipped),
    ):
        for name, why in names.items():
            say(f"  {name} {title}: {plain(why)}")


# --- status ---------------------------------------------------------------------------------------


def _status(arguments: argparse.Namespace) -> int:
    outbox = _opened(arguments.folder)
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
        say(json.dumps(facts, default=datetime.isoformat))
        return OK
    say(", ".join(f"{count:,} {state}" for state, count in counts.items()))
    for one in listed:
        say(_line(one))
    shown = counts["queued"] + counts["sending"] + counts["failed"] - len(listed)
    if shown > 0:
        say(f"and {shown:,} more; --limit 0 shows them")
    return OK


def _line(one: Listed) -> str:
    tries = f", {counted(one.attempts, 'attempt')}" if one.attempts else ""
    since = f"since {one.queued_at:%Y-%m-%d %H:%M:%S}" if one.queued_at else ""
    later = f", next {one.next_attempt:%Y-%m-%d %H:%M:%S}" if one.next_attempt else ""
    who = ", ".join(recipient.address for recipient in one.recipients[:3])
    more = f" and {len(one.recipients) - 3} more" if len(one.recipients) > 3 else ""
    details = [since + later, f"to {who}{more}", plain(one.reason or "")]
    lines = [f"    {line}" for line in details if line]
    return "\n".join([f"{one.id}  {one.state}{tries}", *lines])
