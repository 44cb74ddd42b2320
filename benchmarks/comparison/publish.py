"""Put chosen tables and the plot into the README, between its two marks."""

from __future__ import annotations

import re

from .native import FOLDER
from .plot import draw
from .record import Entry
from .table import markdown

__all__ = ["publish", "replace_between"]

_README = FOLDER.parent / "README.md"
_PLOTS = FOLDER.parent / "docs"
_BEGIN, _END = "<!-- comparison: made by benchmarks/compare.py -->", "<!-- end of comparison -->"


def publish(entries: dict[str, Entry], keys: list[str]) -> None:
    """Write the tables of these scenarios and a plot of their figures.

    Raises:
        SystemExit: a scenario was not measured, or the README has no place for it.
    """
    unknown = [key for key in keys if key not in entries]
    if unknown:
        raise SystemExit(f"not measured: {', '.join(unknown)}; measured: {', '.join(entries)}")
    chosen = [entries[key] for key in keys]
    _PLOTS.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        draw(chosen, _PLOTS / f"comparison-{theme}.svg", dark=theme == "dark")
    text = "\n\n".join([_picture(chosen), *map(markdown, chosen), _conditions(chosen)])
    _README.write_text(replace_between(_README.read_text(), _BEGIN, _END, text))


def replace_between(document: str, begin: str, end: str, text: str) -> str:
    """Put a text between two marks, in place of what is there.

    Raises:
        SystemExit: the marks are missing.
    """
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"the README lacks the marks {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document, count=1)


def _picture(chosen: list[Entry]) -> str:
    titles = "; ".join(entry.scenario.title for entry in chosen)
    return (
        "<picture>\n"
        '  <source media="(prefers-color-scheme: dark)" srcset="docs/comparison-dark.svg">\n'
        f'  <img alt="Messages a second of each client: {titles}" '
        'src="docs/comparison-light.svg">\n'
        "</picture>"
    )


def _conditions(chosen: list[Entry]) -> str:
    """Say what ran where; once for all tables where that was the same."""
    lines = [
        f"{entry.date}, {entry.machine}; {'; '.join(dict.fromkeys(entry.versions.values()))}; "
        f"messages of {entry.size:,} octets, runs of about {entry.seconds:g} s, medians of "
        f"{max((figures.runs for figures in entry.figures.values()), default=0)}."
        for entry in chosen
    ]
    return "\n\n".join(dict.fromkeys(lines))
