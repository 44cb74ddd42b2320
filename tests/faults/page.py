"""Write docs/faults.md of a run of the matrix: `python -m tests.faults.page`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .matrix import CALLS, FAULTS, PHASES, Cell, Told, cells, run_all

__all__ = ["PAGE", "write"]

PAGE = Path(__file__).parents[2] / "docs/faults.md"

_HEAD = """\
# What a program is told when something goes wrong

Each cell is a server that misbehaves in one way in one phase, over a real connection; `SMTPS` and
`AsyncSMTPS` tell the same. This page is what a run gave: `python -m tests.faults.page` writes it,
and a test fails where a run gives something else. In every cell the same object goes on
afterwards, over a new connection if need be, nothing takes longer than its timeout, and no
message is delivered twice.

A cell has the class of the error, whether it is `retryable`, whether its `session_usable`, and the
outcome of each recipient, or one word if it is the same for all. An empty place has no receipt: the
message was never begun. Cells that cannot occur are left out by rule: before a connection is
there, one can be refused or get no answer; what is said in place of a reply needs a command that
is answered, and while content is sent none is awaited; an alert in clear text belongs to the
handshake; between messages nothing is asked, so nothing can be slow; what TLS does needs TLS.
"""

_CALLS = {
    "send": "One message, to two recipients.",
    "send_many": (
        "Two messages, to two recipients each, one in flight at a time (`window=1`); the fault hits"
        " the first. The outcomes of the second stand behind the semicolon, and the error is that"
        " of the first message that has one."
    ),
}


def write(told: Mapping[Cell, Told]) -> str:
    """Give the page."""
    lines = [_HEAD]
    for call in CALLS:
        lines += [f"\n## `{call}`\n", _CALLS[call]]
        for phase in PHASES:
            rows = {
                fault: told[cell]
                for fault in FAULTS
                if (cell := Cell(fault, phase, call, "sync")) in told
            }
            if not rows:
                continue
            lines += [f"\n### {phase[0].upper()}{phase[1:]}\n"]
            lines += ["| Fault | Error | retryable | session_usable | Outcomes |"]
            lines += ["|---|---|---|---|---|"]
            lines += [f"| {fault} | {_row(row)} |" for fault, row in rows.items()]
    return "\n".join(lines) + "\n"


def _row(told: Told) -> str:
    error = f"`{told.error}`" if told.error else "none"
    words = {True: "yes", False: "no", None: ""}
    fields = (error, words[told.retryable], words[told.session_usable], told.outcomes)
    return " | ".join(fields)


if __name__ == "__main__":
    PAGE.write_text(write(run_all(list(cells()))))
