"""`smtps bench`: this library beside smtplib, against one server, in turns."""

from __future__ import annotations

import argparse
import ipaddress
import shutil
import smtplib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from platform import python_version
from statistics import median
from typing import Any

from .. import codec
from ..client import SMTPS
from ..hosts import is_socket_path
from .configuration import Configuration
from .embedded import embedded_server
from .exits import CANTCREAT, OK, TEMPFAIL, UNAVAILABLE, USAGE, Failure
from .measuring import Load, Run, by_send, by_send_many, by_smtplib
from .parsing import add_command, number
from .progress import Progress
from .terminal import complain, counted, say, say_json, table

__all__ = ["add_commands"]

_EXAMPLES = """
smtps bench
smtps bench --count 5000 --rounds 7 --plot bench.svg
smtps bench smtp://127.0.0.1:2525?tls=none
smtps bench smtps://relay.example --to me@b.example --count 50
"""
_NOTES = """
Every client sends the same messages over one connection, in turns, so that what else the
machine does hits all of them. To a host that is not this machine it sends only when a
person at the terminal agrees, or with --yes; whoever is named by --to gets all of it.
"""
_CLIENTS: dict[str, Callable[[SMTPS, Load, Callable[[], None]], Run]] = {
    "smtps send_many": by_send_many,
    "smtps send": by_send,
    "smtplib": by_smtplib,
}
_BAR, _SHORTEST_BAR = 20, 5
_DRAWABLE = (".svg", ".png", ".pdf")


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "bench",
        _bench,
        about="measure this library beside smtplib",
        words="[URL]",
        examples=_EXAMPLES,
        notes=_NOTES,
        relay=True,
    )
    add = parser.add_argument
    add("target", nargs="?", metavar="URL", help="the server (an embedded one, over TLS)")
    add(
        "--count",
        type=number(1, 100_000),
        default=1000,
        metavar="N",
        help="messages of each turn (1000)",
    )
    add("--rounds", type=number(1, 100), default=5, metavar="N", help="turns of each client (5)")
    add(
        "--size",
        type=number(300, 10_000_000),
        default=1100,
        metavar="N",
        help="bytes of a message (1100)",
    )
    add("--from", dest="from_", metavar="ADDRESS", default="news@sender.example", help="the sender")
    add("--to", metavar="ADDRESS", default="", help="who gets all of it; needed for other hosts")
    add("--yes", action="store_true", help="send to a host that is not this machine")
    add(
        "--plot",
        metavar="FILE",
        type=_drawable,
        help="draw it: .svg, .png or .pdf, with matplotlib",
    )
    add("--json", action="store_true", help="print every figure as JSON")


def _drawable(path: str) -> str:
    if not path.endswith(_DRAWABLE):
        raise argparse.ArgumentTypeError(f"{path!r} does not end in {', '.join(_DRAWABLE)}")
    return path


def _bench(arguments: argparse.Namespace) -> int:
    load = Load(arguments.count, arguments.size, arguments.from_, arguments.to)
    with _server(arguments) as make:
        _ask(make(), arguments)
        runs = _measure(make, load, arguments.rounds)
    if arguments.json:
        say_json(_facts(runs, arguments))
    else:
        _show(runs, arguments)
    if arguments.plot:
        _plot(runs, arguments.plot)
    refused = sum(run.refused for many in runs.values() for run in many)
    if refused:
        complain(f"{counted(refused, 'message')} of all were not accepted; the figures hold them")
    return TEMPFAIL if refused else OK


@contextmanager
def _server(arguments: argparse.Namespace) -> Iterator[Callable[[], SMTPS]]:
    """Give what makes connections to the server, which is our own where none is named."""
    if arguments.target is not None:
        if arguments.url is not None:
            raise Failure("--url: the server is named already; leave one of them out", USAGE)
        arguments.url = arguments.target
    configuration = Configuration.load(arguments)
    # Only what was asked for by name is put under load, and no relay that happens to be configured.
    if arguments.url is not None:
        yield configuration.relay
        return
    with embedded_server() as (url, _):
        yield lambda: SMTPS.from_url(url)


def _ask(smtp: SMTPS, arguments: argparse.Namespace) -> None:
    """Make sure that the server may be put under load.

    Raises:
        Failure: nobody said so.
    """
    host = smtp.mail_server
    if _is_here(host):
        return
    if not arguments.to:
        raise Failure(f"--to: missing; say who gets the messages through {host}", USAGE)
    if arguments.yes:
        return
    total = arguments.count * arguments.rounds * len(_CLIENTS)
    if sys.stdin is None or not sys.stdin.isatty():
        raise Failure(f"{host} is not this machine; --yes sends {total:,} messages there", USAGE)
    sys.stderr.write(f"Send {total:,} messages through {host} to {arguments.to}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("nothing was sent", USAGE)


def _is_here(host: str) -> bool:
    if is_socket_path(host) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _measure(make: Callable[[], SMTPS], load: Load, rounds: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {name: [] for name in _CLIENTS}
    with Progress(load.count * rounds * len(_CLIENTS), "messages") as bar:
        for _ in range(rounds):
            for name, send in _CLIENTS.items():
                try:
                    runs[name].append(send(make(), load, bar.advance))
                except (smtplib.SMTPException, OSError) as error:
                    if name != "smtplib":
                        raise
                    raise Failure(f"smtplib: {error}", UNAVAILABLE) from error
    return runs


# --- the figures ----------------------------------------------------------------------------------


def _rates(runs: dict[str, list[Run]]) -> dict[str, list[float]]:
    return {name: [run.rate for run in many] for name, many in runs.items()}


def _show(runs: dict[str, list[Run]], arguments: argparse.Namespace) -> None:
    rates = _rates(runs)
    medians = {name: median(many) for name, many in rates.items()}
    most = max(medians.values())
    rows: list[tuple[str, ...]] = [("", "messages/s", "lowest to highest", "times")]
    for name, many in rates.items():
        middle = medians[name]
        spread = f"{min(many):,.0f} to {max(many):,.0f}"
        rows.append((name, f"{middle:,.0f}", spread, f"{middle / medians['smtplib']:.1f}"))
    lines = table(rows)
    longest = max(map(len, lines))
    room = min(_BAR, shutil.get_terminal_size().columns - longest - 2)
    say(lines[0])
    for line, middle in zip(lines[1:], medians.values(), strict=True):
        # On a narrow terminal the figures are what counts.
        bar = "#" * max(1, round(middle / most * room)) if room >= _SHORTEST_BAR else ""
        say(f"{line:{longest}}  {bar}".rstrip())
    turns = f"{counted(arguments.rounds, 'turn')} of {counted(arguments.count, 'message')} each"
    say(f"\n  medians of {turns}; one connection")
    core = f"{codec.implementation}, {codec.level}"
    say(f"  {arguments.size:,} bytes; Python {python_version()}; codec: {core}")


def _facts(runs: dict[str, list[Run]], arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "count": arguments.count,
        "rounds": arguments.rounds,
        "size": arguments.size,
        "python": python_version(),
        "codec": f"{codec.implementation}, {codec.level}",
        "clients": {
            name: {
                "rates": [run.rate for run in many],
                "median": median(run.rate for run in many),
                "median_latency": median(one for run in many for one in run.latencies),
                "accepted": sum(run.accepted for run in many),
                "refused": sum(run.refused for run in many),
            }
            for name, many in runs.items()
        },
    }


def _plot(runs: dict[str, list[Run]], path: str) -> None:
    """Draw a bar for each client.

    Raises:
        Failure: the file cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        complain("--plot: needs matplotlib (pip install matplotlib); the bars above are the plot")
        return
    mpl.use("Agg")
    from matplotlib import pyplot

    rates = {name: median(many) for name, many in reversed(_rates(runs).items())}
    with pyplot.rc_context({"svg.hashsalt": "smtps", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(6.5, 1.8), layout="constrained")
        bars = axes.barh(list(rates), list(rates.values()), color=["#5c7cfa", "#d9480f", "#d9480f"])
        axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates.values()], padding=3)
        axes.set_xlabel("messages/s")
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
        try:
            figure.savefig(path)
        except (OSError, ValueError) as error:
            raise Failure(f"--plot {path}: {error}", CANTCREAT) from error
        finally:
            pyplot.close(figure)
