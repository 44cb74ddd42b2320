"""`smtps send`: messages from arguments, from files, or for every row of a CSV."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import SMTPSError
from ..items import Item, transaction_of
from ..pool import Pool
from . import composing
from .configuration import Configuration
from .delivering import Delivery
from .exits import DATAERR, OK, USAGE, Failure
from .finished import finished_item
from .parsing import add_command, add_connections, add_envelope, checked_rate, number
from .rows import Rows
from .tally import Records
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
    add_envelope(parser)
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
        return Delivery(total, records, arguments).run(relay, items)


# --- what is sent ---------------------------------------------------------------------------------


def _items(
    arguments: argparse.Namespace, configuration: Configuration
) -> tuple[Iterable[Item], int]:
    """Give what is to be sent, and how much that is."""
    composed = composing.is_composed(arguments)
    if arguments.mailing is None and arguments.first_row != 1:
        raise Failure("--first-row: only with --mailing", USAGE)
    if arguments.files or not (composed or arguments.mailing):
        if composed or arguments.mailing:
            raise Failure(
                f"{composed or '--mailing'}: not for a finished message; its envelope can be"
                " changed by --sender and --recipient",
                USAGE,
            )
        return _finished(arguments)
    if arguments.recipient:
        raise Failure("--recipient: for finished messages only; say --to, --cc or --bcc", USAGE)
    if arguments.mailing == "-" and composing.reads_standard_input(arguments):
        raise Failure(
            "--mailing -: standard input holds the rows; say --text or --text-file", USAGE
        )
    message = composing.compose(arguments, configuration.own("sender"))
    if arguments.mailing is None:
        return [message], 1
    rows = Rows(arguments.mailing, arguments.first_row)
    return rows.check(message).for_each(rows), rows.count


def _finished(arguments: argparse.Namespace) -> tuple[Iterable[Item], int]:
    files = arguments.files or ["-"]
    if files.count("-") > 1:
        raise Failure("-: standard input can be sent once only", USAGE)
    # It is read before a relay is kept waiting for it.
    typed = _item("-", arguments) if "-" in files else None

    def items() -> Iterator[Item]:
        for file in files:
            yield typed if file == "-" and typed is not None else _item(file, arguments)

    # What is wrong with one of several files is said before the first is sent.
    for _ in items():
        pass
    return items(), len(files)


def _item(file: str, arguments: argparse.Namespace) -> Item:
    return finished_item(file, arguments.sender, arguments.recipient)


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
