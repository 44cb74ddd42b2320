"""`smtps run`: send what is in a queue folder, once or until a signal ends it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..client import SMTPS
from ..errors import SMTPSError
from ..outbox import Outbox, Report
from ..pool import Pool
from .configuration import Configuration
from .exits import INTERRUPTED, OK, TEMPFAIL, UNAVAILABLE
from .outbox import add_folder, opened
from .parsing import add_command, add_connections, seconds
from .progress import Progress
from .sending import Ending
from .tally import LOST
from .terminal import complain, plain, say, say_json

try:
    import resource
except ImportError:  # Only POSIX has it, as the rest of the queue.
    resource = None  # type: ignore[assignment]

__all__ = ["add_commands"]

_EXAMPLES = """
smtps run ~/mail --url smtp://relay.example
smtps run ~/mail --watch --connections 4
"""
# A relay that is down is asked again after so many seconds, ever longer.
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    run = add_command(
        commands,
        "run",
        _run,
        about="send what is in a queue folder and due",
        words="[FOLDER]",
        examples=_EXAMPLES,
        relay=True,
    )
    add_folder(run)
    run.add_argument("--watch", action="store_true", help="go on until SIGTERM or Ctrl-C ends it")
    run.add_argument(
        "--interval",
        type=seconds,
        default=5.0,
        metavar="SECONDS",
        help="seconds between two looks (5)",
    )
    add_connections(run)
    run.add_argument("--keep", action="store_true", help="name sent messages .sent")
    run.add_argument(
        "--in-doubt",
        choices=["hold", "resend", "assume-sent"],
        default="hold",
        help="what to do with messages whose answer was lost (hold)",
    )
    run.add_argument("--json", action="store_true", help="print the report as JSON")


def _run(arguments: argparse.Namespace) -> int:
    configuration = Configuration.load(arguments)
    folder = arguments.folder or configuration.own("outbox")
    outbox = opened(folder, keep=arguments.keep, in_doubt=arguments.in_doubt)
    _allow_files()
    # What cannot be had is said before, and a pool does not ask for a password again.
    smtp = configuration.relay()
    several = arguments.connections > 1
    ending = Ending(outbox.stop)
    work = _watch if arguments.watch else _run_once
    with Pool(configuration.relay, connections=arguments.connections) if several else smtp as relay:
        return work(outbox, relay, ending, arguments)


def _allow_files() -> None:
    """Have as many files open as the system allows: each message on its way is one."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run_once(
    outbox: Outbox, relay: SMTPS | Pool, ending: Ending, arguments: argparse.Namespace
) -> int:
    report = Report()

    def note(so_far: Report) -> None:
        nonlocal report
        report = so_far
        bar.advance()

    with Progress(outbox.count()["queued"], "messages") as bar, ending.watched():
        report = outbox.run(relay, progress=note)
        if not ending.wished:
            # What is not due yet is not to be done now.
            bar.settle()
    if ending.forced:
        report.in_doubt.update(dict.fromkeys(_doubtful(outbox), LOST))
    _show_report(report, arguments.json)
    left = outbox.count()["queued"]
    if ending.forced or (ending.wished and left):
        complain(f"interrupted; {left:,} wait in {outbox.folder}")
        return INTERRUPTED
    if report.failed or report.in_doubt:
        return UNAVAILABLE
    return TEMPFAIL if report.deferred or report.not_due else OK


def _doubtful(outbox: Outbox) -> list[str]:
    return [one.id for one in outbox.walk("sending") if one.state == "in doubt"]


def _watch(
    outbox: Outbox, relay: SMTPS | Pool, ending: Ending, arguments: argparse.Namespace
) -> int:
    """Run again and again, until a signal says that it is enough; then end after this message."""
    with ending.watched():
        _go_on(outbox, relay, ending, arguments)
    if ending.forced:
        complain(f"interrupted; {len(_doubtful(outbox)):,} in doubt: smtps status {outbox.folder}")
        return INTERRUPTED
    # Who watches was told to end, and has done so.
    return OK


def _go_on(
    outbox: Outbox, relay: SMTPS | Pool, ending: Ending, arguments: argparse.Namespace
) -> None:
    pause = _FIRST_PAUSE
    if sys.stderr.isatty():
        complain(f"watching {outbox.folder}; Ctrl-C ends it")
    while not ending.wished:
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
        ending.pause(wait)


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
    later = "" if report.next_due is None else f"; next attempt in {_lasting(report.next_due)}"
    say(
        f"{report.sent:,} sent, {waiting:,} waiting, {len(report.failed):,} failed,"
        f" {len(report.in_doubt):,} in doubt{later}"
    )
    for title, names in (
        ("failed", report.failed),
        ("in doubt", report.in_doubt),
        ("left alone", report.skipped),
    ):
        for name, why in names.items():
            say(f"  {name} {title}: {plain(why)}")
    if report.in_doubt:
        say("  --in-doubt resend sends what is in doubt again, --in-doubt assume-sent does not")


def _lasting(seconds: float) -> str:
    """Give a time as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
