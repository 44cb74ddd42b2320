"""Show what was measured: a table for the terminal and one for Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from .clients import BASE, CLIENTS
from .figures import ratio
from .record import Entry

__all__ = ["best_peer", "markdown", "terminal"]

_TITLES = ("", "messages/s", "+-", f"times {BASE}", "times best", "CPU us a message")


def terminal(entry: Entry) -> str:
    """Give the table of one scenario in columns."""
    rows = [_TITLES, *_rows(entry)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = [entry.scenario.title]
    for name, *cells in rows:
        right = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f"  {name.ljust(widths[0])}  {'  '.join(right)}".rstrip())
    lines += [f"  {name}: failed, {why}" for name, why in entry.failures.items()]
    lines += [f"  {name}: not here, {why}" for name, why in entry.missing.items()]
    return "\n".join(lines)


def markdown(entry: Entry) -> str:
    """Give the same as a Markdown table."""
    titles = ["", "messages/s", "±", f"times {BASE}", "times best peer", "CPU µs a message"]
    lines = [
        f"**{entry.scenario.title[:1].upper()}{entry.scenario.title[1:]}**",
        "",
        f"| {' | '.join(titles)} |",
        f"|---|{'---:|' * (len(titles) - 1)}",
    ]
    for name, *cells in _rows(entry):
        shown = f"**{name}**" if name.startswith("smtps") else name
        lines.append(f"| {' | '.join([shown, *cells])} |")
    return "\n".join(lines)


def best_peer(entry: Entry) -> str | None:
    """Name the fastest of the other libraries and tools."""
    peers = [one.name for one in CLIENTS if one.is_peer and one.name in entry.figures]
    return max(peers, key=lambda name: entry.figures[name].rate, default=None)


def _rows(entry: Entry) -> Iterable[tuple[str, ...]]:
    best = best_peer(entry)
    for client in CLIENTS:
        figures = entry.figures.get(client.name)
        if figures is None:
            continue
        yield (
            client.name,
            f"{figures.rate:,.0f}",
            f"{figures.spread:.0%}",
            _times(ratio(entry.figures, client.name, BASE)),
            _times(ratio(entry.figures, client.name, best) if best else None),
            f"{figures.cpu:,.1f}",
        )


def _times(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 20 else f"{value:,.1f}" if value >= 2 else f"{value:.2f}"
