"""`smtps send`: messages from arguments, from files, or for every row of a CSV."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from ..errors import BadValue, SMTPSError
from ..items import Item, transaction_of
from ..pool import Pool
from ..receipt import Receipt
from . import composing
from .configuration import Configuration
from .exits import DATAERR, INTERRUPTED, OK, USAGE, Failure
from .finished import read_finished
from .parsing import add_command, add_connections, checked_rate, number
from .progress import Progress
from .rows import Rows
from .sending import Ending, send_each
from .tally import Records, Tally, facts_of, sentences
from .terminal import complain, counted, say, say_json

__all__ = ["add_commands"]

_EXAMPLES = """
df -h | smtps send --to admin@b.example --subject "disks of $HOSTNAME"
smtps send --from ann@a.example --to bob@b.example --text Hi --attach a.pdf
smtps send letter.eml --recipient bob@b.example
smtps send --mailing readers.csv --to "{{ name }} <{{ mail }}>" \\
    --subject "News for {{ name }}" --text-file news.txt --receipts sent.csv
"""


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "send",
        _send,
        about="send a message, finished ones, or one for every row of a CSV",
        words="[FILE ...]",
        examples=_EXAMPLES,
        relay=True,
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="finished messages (.eml); - is standard input"
    )
    parser.add_argument("--sender", metavar="ADDRESS", help="the envelope's, for finished messages")
    parser.add_argument(
        "--recipient", action="append", metavar="ADDRESS", help="the same, in place of To, Cc, Bcc"
    )
    composing.add_arguments(parser)
    group = parser.add_argument_group("many messages")
    group.add_argument("--mailing", metavar="CSV", help="one message for each row: {{ column }}")
    group.add_argument(
        "--first-row", type=number(1, 10**9), default=1, metavar="N", help="begin with this row (1)"
    )
    group.add_argument(
        "--receipts", metavar="CSV", help="write what became of each recipient to a new file"
    )
    group.add_argument("--rate", type=checked_rate, help="at most so fast: 14/s, 30/min, ses, ...")
    add_connections(group)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be sent, and send nothing"
    )
    parser.add_argument(
        "--json", action="store_true", help="a line of JSON for each message, and the totals"
    )


def _send(arguments: argparse.Namespace) -> int:
    configuration = Configuration.load(arguments)
    items, total = _items(arguments, configuration)
    if arguments.dry_run:
        return _rehearse(items, arguments)
    smtp = configuration.relay()
    is_pool = arguments.connections > 1 or arguments.rate is not None
    relay = (
        Pool(configuration.relay, connections=arguments.connections, rate=arguments.rate)
        if is_pool
        else smtp
    )
    with relay, Records(arguments.receipts) as records:
        return _run(relay, items, total, records, arguments)


def _run(
    relay: Any, items: Iterable[Item], total: int, records: Records, arguments: argparse.Namespace
) -> int:
    tally, ending = Tally(), Ending()
    known: set[int] = set()
    show = _receipt_shower(arguments)

    def take(receipt: Receipt) -> None:
        row = arguments.first_row + receipt.index
        known.add(receipt.index)
        tally.add(receipt, row)
        records.add(receipt, row)
        show(receipt, row)
        if bar is not None:
            bar.advance()

    begun = time.monotonic()
    many = total > 1 or arguments.mailing is not None
    with Progress(total, "messages") if many else nullcontext() as bar:
        send_each(relay, items, ending, take)
    seconds = time.monotonic() - begun
    for index in range(ending.begun) if ending.forced else ():
        if index not in known:
            tally.lose(1)
            records.lose(arguments.first_row + index)
    _sum_up(tally, ending, total, seconds, arguments, many=many)
    return INTERRUPTED if ending.wished else tally.status


def _receipt_shower(arguments: argparse.Namespace) -> Callable[[Receipt, int], None]:
    def as_json(receipt: Receipt, row: int) -> None:
        say_json(facts_of(receipt, row))

    def in_words(receipt: Receipt, _: int) -> None:
        for line in sentences(receipt):
            say(line)

    if arguments.json:
        return as_json
    # Of a mailing the problems are told at its end.
    return in_words if arguments.mailing is None else lambda *_: None


def _sum_up(
    tally: Tally,
    ending: Ending,
    total: int,
    seconds: float,
    arguments: argparse.Namespace,
    *,
    many: bool,
) -> None:
    left = total - ending.begun
    if arguments.json:
        facts = {**tally.facts(), "left": left, "seconds": round(seconds, 3)}
        say_json({"totals": facts})
        return
    if many:
        done = sum(tally.messages.values())
        say(f"{tally}; {seconds:,.1f} s, {done / max(seconds, 1e-9):,.0f} messages/s")
    if arguments.mailing is not None:
        for line in tally.problems:
            say(f"  {line}")
    if ending.wished:
        row = arguments.first_row + ending.begun
        way = f"; go on with --first-row {row}" if left and arguments.mailing else ""
        complain(f"interrupted; {left:,} of {total:,} were not begun{way}")


# --- what is sent ---------------------------------------------------------------------------------


def _items(
    arguments: argparse.Namespace, configuration: Configuration
) -> tuple[Iterable[Item], int]:
    """Give what is to be sent, and how much that is."""
    composed = composing.is_composed(arguments)
    if arguments.files or not (composed or arguments.mailing):
        if composed or arguments.mailing:
            raise Failure(
                f"{composed or '--mailing'}: not for a finished message; its envelope can be"
                " changed by --sender and --recipient",
                USAGE,
            )
        files = arguments.files or ["-"]
        # What is wrong with one of several files is said before the first is sent.
        for _ in _finished([file for file in files if file != "-"], arguments):
            pass
        return _finished(files, arguments), len(files)
    if arguments.recipient:
        raise Failure("--recipient: for finished messages only; say --to, --cc or --bcc", USAGE)
    message = composing.compose(arguments, configuration.own("sender"))
    if arguments.mailing is None:
        if arguments.first_row != 1:
            raise Failure("--first-row: only with --mailing", USAGE)
        return [message], 1
    rows = Rows(arguments.mailing, arguments.first_row)
    return rows.check(message).for_each(rows), rows.count


def _finished(files: list[str], arguments: argparse.Namespace) -> Iterator[Item]:
    for file in files:
        finished = read_finished(file)
        try:
            envelope = finished.envelope(arguments.sender, arguments.recipient)
        except BadValue as error:
            raise Failure(f"{_title(file)}: {error}", DATAERR) from error
        yield envelope, finished.content()


def _title(file: str) -> str:
    return "standard input" if file == "-" else file


def _rehearse(items: Iterable[Item], arguments: argparse.Namespace) -> int:
    """Compose everything, show the first message, and say what would go wrong."""
    good, problems = 0, []
    for place, item in enumerate(items):
        try:
            transaction = transaction_of(item)
            whole = item[1] if isinstance(item, tuple) else item.render()  # type: ignore[union-attr]
        except SMTPSError as error:
            reason = error.__cause__ or error
            problems.append(f"row {arguments.first_row + place}: {reason}")
            continue
        if not good and not arguments.json:
            envelope = transaction.envelope
            say(f"from <{envelope.sender}> to {', '.join(envelope.addresses)}:\n")
            assert isinstance(whole, bytes)
            say(whole.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
        good += 1
    if arguments.json:
        say_json({"would_send": good, "problems": problems})
    else:
        say(f"\n{counted(good, 'message')} could be sent; nothing was")
    for line in problems[:10]:
        complain(line)
    return DATAERR if problems else OK
