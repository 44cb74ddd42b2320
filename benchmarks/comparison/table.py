"""Show what was measured: a table for the terminal and one for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .clients import BASE, CLIENTS
from .figures import Figures, ratio
from .record import Entry
from .works import WORKS

__all__ = ["best_peer", "in_digits", "markdown", "matrix", "terminal"]

_RATIOS = (f"times {BASE}", "times best", "CPU us a message")


def terminal(entry: Entry) -> str:
    """Give the table of one scenario in columns."""
    titles = ("", _unit(entry), "+-", *_RATIOS, *_peak_title(entry))
    rows = [titles, *_rows(entry)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    lines = [entry.scenario.title]
    for name, *cells in rows:
        right = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f"  {name.ljust(widths[0])}  {'  '.join(right)}".rstrip())
    lines += [f"  {name}: failed, {why}" for name, why in entry.failures.items()]
    lines += [f"  {name}: not here, {why}" for name, why in entry.missing.items()]
    return "\n".join(lines)


def markdown(entry: Entry) -> str:
    """Give the same as a Markdown table."""
    titles = ["", _unit(entry), "±", f"times {BASE}", "times best peer", "CPU µs a message"]
    titles += _peak_title(entry)
    runs = max((figures.runs for figures in entry.figures.values()), default=0)
    lines = [
        f"## {entry.scenario.title[:1].upper()}{entry.scenario.title[1:]}",
        "",
        f"{runs} runs of about {entry.seconds:g} s.",
        "",
        f"| {' | '.join(titles)} |",
        f"|---|{'---:|' * (len(titles) - 1)}",
    ]
    for name, *cells in _rows(entry):
        lines.append(f"| {' | '.join([_shown(name), *cells])} |")
    return "\n".join(lines)


def matrix(entries: Sequence[Entry]) -> str:
    """Give one Markdown table of several scenarios: messages a second, and times the base."""
    lines = [
        f"| {', '.join(dict.fromkeys(map(_unit, entries)))} (times {BASE}) |"
        f" {' | '.join(entry.scenario.title for entry in entries)} |",
        f"|---|{'---:|' * len(entries)}",
    ]
    for client in CLIENTS:
        if not any(client.name in entry.figures for entry in entries):
            continue
        cells = [_brief(entry, client.name) for entry in entries]
        lines.append(f"| {' | '.join([_shown(client.name), *cells])} |")
    return "\n".join(lines)


def _brief(entry: Entry, name: str) -> str:
    figures = entry.figures.get(name)
    if figures is None:
        return ""
    rate = _rate(entry, figures)
    if name == BASE:
        return rate
    return f"{rate} ({_times(ratio(entry.figures, name, BASE))})"


def _shown(name: str) -> str:
    return f"**{name}**" if name.startswith("smtps") else name


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
            _rate(entry, figures),
            f"{figures.spread:.0%}",
            _times(ratio(entry.figures, client.name, BASE)),
            _times(ratio(entry.figures, client.name, best) if best else None),
            f"{figures.cpu:,.1f}",
            *((f"{figures.peak:,.0f}" if figures.peak else "-",) if _peak_title(entry) else ()),
        )


def _unit(entry: Entry) -> str:
    return WORKS[entry.scenario.work].unit


def _rate(entry: Entry, figures: Figures) -> str:
    return in_digits(figures.rate * WORKS[entry.scenario.work].scale)


def _peak_title(entry: Entry) -> tuple[str, ...]:
    """Give the title of the column for memory, where that is of interest."""
    return ("peak MiB",) if entry.scenario.composes else ()


def in_digits(rate: float) -> str:
    """Write a rate, with more than its first digit."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _times(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 20 else f"{value:,.1f}" if value >= 2 else f"{value:.2f}"
