"""Make docs/faults.md of a run of the whole matrix.

Run it as `python -m tests.faults.page`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.faults.expected import expected
from tests.faults.plan import FAULTS, WAYS, Cell, Fault, Place, Way, cells
from tests.faults.queue import QUEUE
from tests.faults.running import observe_all

__all__ = ["PAGE", "page", "run"]

PAGE = Path(__file__).parents[2] / "docs/faults.md"

HEAD = """\
# What goes wrong, and what you get to know

A server that does one thing wrong, at each place of a session, for each way of sending: what
`SMTPS` and `AsyncSMTPS` tell, which is the same for both, compiled and in plain Python. The suite
runs every cell, and holds of each what the client says against what the server took: what is
*accepted* was taken once, what is *not sent*, *deferred* or *refused* was not taken, and what is
*unknown* may have been. No message is ever taken in part, the time of a cell is bounded, nothing
goes in clear text that was to be secured, and the next message goes out.

This page is made by `python -m tests.faults.page`.

A cell has the error, then what became of the two recipients of the message, in one word where it is
the same. `↻` is an error that is `retryable`: the same call may succeed later. `✕` is one after
which the session is not usable: the next message has another connection. An error that is raised
is in a table of `send`; in one of `send_many` it is the receipt's, and what is accepted in spite of
the fault went out over another connection. A cell is empty where the fault cannot strike: {rule}

| Fault | What the server does |
|---|---|
"""
RULE = (
    "a reply is replaced where one is due, or comes where none is; the form of a reply is changed"
    " where one is due; TLS fails from the handshake on; before the first message every way of"
    " sending is the same, so that has a table of its own; BDAT has no DATA, `send_many` no rest"
    " between messages; and who talks without an end is, while content is under way, as one that"
    " does not read."
)
QUEUE_HEAD = """
## The queue

The faults of disks, processes and clocks strike the queue. Each has tests of its own.

| Fault | What happens | Tests |
|---|---|---|
"""


def run() -> dict[Cell, str]:
    """Run every cell on both fronts, and give what each brought.

    Raises:
        AssertionError: a cell brought something else than it is to bring.
    """
    found: dict[Cell, str] = {}
    for kind in ("sync", "async"):
        for cell, observed in observe_all(cells(), kind):
            assert str(observed) in expected(cell).split(" or "), (kind, str(cell), str(observed))
            found[cell] = expected(cell)
    return found


def page(found: Mapping[Cell, str]) -> str:
    """Give the page for what the cells brought."""
    lines = [HEAD.format(rule=RULE)]
    lines += [f"| {fault.name} | {fault.says} |\n" for fault in FAULTS]
    first = WAYS[0]
    opening = [place for place in Place if place.is_opening]
    lines += _table("Before the first message", first, opening, found)
    later = [place for place in Place if not place.is_opening]
    for way in WAYS:
        lines += _table(f"`{way.name}`: {way.says}", way, later, found)
    lines.append(QUEUE_HEAD)
    for name, (says, tests) in QUEUE.items():
        named = ", ".join(f"`{test.split('::')[-1]}`" for test in tests)
        lines.append(f"| {name} | {says} | {named} |\n")
    return "".join(lines)


def _table(title: str, way: Way, places: list[Place], found: Mapping[Cell, str]) -> list[str]:
    """Give a table; faults that fare alike everywhere share a row."""
    used = [place for place in places if any(Cell(fault, place, way) in found for fault in FAULTS)]
    rows: dict[tuple[str, ...], list[Fault]] = {}
    for fault in FAULTS:
        row = tuple(found.get(Cell(fault, place, way), "") for place in used)
        if any(row):
            rows.setdefault(row, []).append(fault)
    lines = [f"\n## {title}\n\n"]
    lines.append(f"| Fault | {' | '.join(place.value for place in used)} |\n")
    lines.append("|---" * (len(used) + 1) + "|\n")
    for row, faults in rows.items():
        names = "; ".join(fault.name for fault in faults)
        lines.append(f"| {names} | {' | '.join(row)} |\n")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(run()))
    sys.exit(0)
