"""Compare this library with other mail clients, each of which proves that its mail was taken.

Every client sends messages of the same bytes, each to a recipient of its own, to a discarding
server in C on a processor of its own, TCP_NODELAY set. In other scenarios (`letters`, `composing`,
`mailing`, `attachment`, `rsa`, `ed25519`) it composes each message from the same texts; in
`composing` it sends none of them. The clients take turns; the figures are medians. Delays come from
a line between two network namespaces (`link.c`), which holds back packets in both directions and
limits nothing else.
`benchmarks/results/compare.json` keeps the newest table of each scenario.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

# The tests' own Postfix is the real server here too.
sys.path.insert(1, str(Path(__file__).parent.parent))

from comparison.clients import CLIENTS, Missing
from comparison.link import NoLink
from comparison.machine import describe_machine, describe_source
from comparison.native import RESULTS, NotBuilt
from comparison.places import Places
from comparison.plan import compare
from comparison.plot import draw
from comparison.progress import Progress
from comparison.publish import publish
from comparison.record import Entry, load, save
from comparison.scenario import QUICK, SCENARIOS, matching
from comparison.table import terminal
from comparison.works import WORKS


def main() -> int:
    """Run what the command line asks for; 1 if a client failed."""
    # Whoever ends it must not leave servers behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    arguments = _parse()
    if arguments.publish:
        publish(load(arguments.results), arguments.publish)
        return 0
    machine = describe_machine()
    if arguments.realtime:
        # Clients and servers inherit it. What else runs waits, and each run is short.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        machine += ", real-time priority"
    scenarios = matching(arguments.scenarios) if arguments.scenarios else list(SCENARIOS)
    rounds, seconds = arguments.rounds, arguments.seconds
    if arguments.quick:
        scenarios = matching(arguments.scenarios) if arguments.scenarios else list(QUICK)
        rounds, seconds = 3, 0.25
    versions, missing = _prepare(arguments.clients)
    clients = [client for client in CLIENTS if client.name in versions]
    entries = load(arguments.results)
    rows = {one: [client for client in clients if client.fits(one)] for one in scenarios}
    progress = Progress(sum(len(found) * (rounds + 1) for found in rows.values()))
    has_failed = False
    print(f"{machine}\n{'; '.join(dict.fromkeys(versions.values()))}\n", flush=True)
    with Places() as places:
        for scenario, fitting in rows.items():
            try:
                place = places.find(scenario)
            except (NoLink, NotBuilt) as error:
                print(f"{scenario.title}: not on this machine, {error}\n", flush=True)
                continue
            work = WORKS[scenario.work]
            content = work.prepare(RESULTS, arguments.size)
            results = compare(
                scenario, fitting, place, content,
                rounds=rounds, seconds=seconds, progress=progress,
            )  # fmt: skip
            entry = Entry(
                scenario=scenario,
                figures=results.figures,
                failures=results.failures,
                missing=missing,
                versions={client.name: versions[client.name] for client in fitting},
                machine=machine,
                source=describe_source(),
                date=datetime.now(UTC).date().isoformat(),
                size=work.octets or arguments.size,
                seconds=seconds,
            )
            entries[scenario.key] = entry
            save(arguments.results, entries)
            progress.clear()
            has_failed |= bool(results.failures)
            print(terminal(replace(entry, missing={})) + "\n", flush=True)
    for name, why in missing.items():
        print(f"{name} was left out: {why}")
    measured = [entries[one.key] for one in scenarios if one.key in entries]
    if measured:
        _plot(measured, arguments.results)
    return int(has_failed)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    keys = ", ".join(one.key for one in SCENARIOS)
    parser.add_argument(
        "scenarios", nargs="*", help=f"which tables, by name or part of it (all): {keys}"
    )
    parser.add_argument("--quick", action="store_true", help="two tables in about a minute")
    parser.add_argument(
        "--clients", metavar="A,B", type=lambda text: text.split(","), default=[],
        help="only clients whose names hold one of these words",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5, help="runs of each client (5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a run (1)")
    parser.add_argument(
        "--realtime", action="store_true",
        help="run before all else on a machine that is busy with other work; needs root",
    )  # fmt: skip
    parser.add_argument("--size", type=int, default=1024, help="octets of a message (1024)")
    parser.add_argument(
        "--results", type=Path, default=RESULTS / "compare.json", help="where tables are kept"
    )
    parser.add_argument(
        "--publish", metavar="KEY,KEY",
        type=lambda text: text.split(","),
        help="run nothing; put these tables and the plot of what is kept into the README",
    )  # fmt: skip
    arguments = parser.parse_args()
    try:
        matching(arguments.scenarios)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _plot(measured: list[Entry], results: Path) -> None:
    for theme in ("light", "dark"):
        target = results.with_name(f"{results.stem}-{theme}.svg")
        draw(measured, target, dark=theme == "dark")
    print(f"tables in {results}, plots beside it")


def _prepare(words: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give the versions of the clients that are there, and what would install the others."""
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for client in CLIENTS:
        if words and not any(word in client.name for word in words):
            continue
        try:
            versions[client.name] = client.prepare()
        except (Missing, NotBuilt) as error:
            missing[client.name] = str(error)
    return versions, missing


if __name__ == "__main__":
    sys.exit(main())
