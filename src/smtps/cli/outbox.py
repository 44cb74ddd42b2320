"""`smtps queue` and `smtps status`: a queue folder from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..errors import BadValue
from ..outbox import Listed, Outbox
from .configuration import Configuration
from .exits import DATAERR, NOINPUT, OK, USAGE, Failure
from .finished import finished_item
from .parsing import add_command, add_envelope, number
from .terminal import counted, plain, say

__all__ = ["add_commands", "add_folder", "opened"]


_QUEUE = """
smtps queue ~/mail letter.eml
mail-maker | smtps queue ~/mail --recipient bob@b.example
"""
_STATUS = """
smtps status ~/mail
smtps status ~/mail --retry 20261125T124712.169425-eb6f2a9f75b1
"""


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
    queue.add_argument("folder", metavar="FOLDER", help="the queue folder, which must exist")
    queue.add_argument(
        "files", nargs="*", metavar="FILE", help="finished messages (standard input)"
    )
    add_envelope(queue)
    queue.add_argument("--json", action="store_true", help="print a list of the ids")

    status = add_command(
        commands,
        "status",
        _status,
        about="show what waits in a queue folder, and why",
        words="[FOLDER]",
        examples=_STATUS,
    )
    add_folder(status)
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


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder, where the configuration may name it too."""
    parser.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="the queue folder (outbox of the configuration)"
    )


def opened(folder: str, **options: Any) -> Outbox:
    """Open a queue folder.

    Args:
        folder: empty: none is named, which is an error too.

    Raises:
        Failure: it is not there, or not to be trusted.
    """
    if not folder:
        raise Failure(
            "FOLDER: missing; name the queue folder, or set outbox in the configuration"
            " (smtps config says where)",
            USAGE,
        )
    try:
        return Outbox(folder, **options)
    except BadValue as error:
        reason = error.reason if error.field == "folder" else str(error)
        raise Failure(reason, NOINPUT) from error


# --- queue ----------------------------------------------------------------------------------------


def _queue(arguments: argparse.Namespace) -> int:
    files = arguments.files or ["-"]
    # All of them, or none: who calls again after an error has nothing queued twice.
    ids = opened(arguments.folder).put_many(
        finished_item(file, arguments.sender, arguments.recipient) for file in files
    )
    say(json.dumps(ids) if arguments.json else "\n".join(ids))
    return OK


# --- status ---------------------------------------------------------------------------------------


@contextmanager
def _told(option: str, value: str) -> Iterator[None]:
    try:
        yield
    except BadValue as error:
        reason = error.reason.replace("list() names them", "smtps status names them")
        raise Failure(f"{option} {value}: {reason}", DATAERR) from error


def _status(arguments: argparse.Namespace) -> int:
    outbox = opened(arguments.folder or Configuration.load(arguments).own("outbox"))
    if arguments.retry:
        with _told("--retry", arguments.retry):
            outbox.retry(arguments.retry)
    if arguments.remove:
        with _told("--remove", arguments.remove):
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
    since = f"since {_local(one.queued_at)}" if one.queued_at else ""
    later = f", next attempt {_local(one.next_attempt)}" if one.next_attempt else ""
    who = ", ".join(recipient.address for recipient in one.recipients[:3])
    more = f" and {len(one.recipients) - 3} more" if len(one.recipients) > 3 else ""
    details = [since + later, f"to {who}{more}", plain(one.reason or "")]
    lines = [f"    {line}" for line in details if line]
    return "\n".join([f"{one.id}  {one.state}{tries}", *lines])


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
