"""Put chosen tables and the plot into the README and into `docs/`."""

from __future__ import annotations

import re
from pathlib import Path

from .native import FOLDER
from .plot import draw
from .record import Entry
from .table import markdown, matrix

__all__ = ["publish", "replace_between"]

_BEGIN, _END = "<!-- comparison: made by benchmarks/compare.py -->", "<!-- end of comparison -->"


def publish(entries: dict[str, Entry], keys: list[str], root: Path = FOLDER.parent) -> None:
    """Write the plot and one table of these scenarios, and all tables into `docs/comparison.md`.

    Raises:
        SystemExit: a scenario was not measured, or the README has no place for it.
    """
    unknown = [key for key in keys if key not in entries]
    if unknown:
        raise SystemExit(f"not measured: {', '.join(unknown)}; measured: {', '.join(entries)}")
    chosen = [entries[key] for key in keys]
    readme, folder = root / "README.md", root / "docs"
    folder.mkdir(exist_ok=True)
    picture = _picture(chosen)
    brief = "\n\n".join([picture.replace('="comparison', '="docs/comparison'), matrix(chosen)])
    readme.write_text(replace_between(readme.read_text(), _BEGIN, _END, brief))
    for theme in ("light", "dark"):
        draw(chosen, folder / f"comparison-{theme}.svg", dark=theme == "dark")
    every = sorted(entries.values(), key=lambda entry: entry.scenario)
    whole = ["# The comparison", picture, _conditions(every), *map(markdown, every)]
    (folder / "comparison.md").write_text("\n\n".join(whole) + "\n")


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
        '  <source media="(prefers-color-scheme: dark)" srcset="comparison-dark.svg">\n'
        f'  <img alt="Messages a second of each client: {titles}" src="comparison-light.svg">\n'
        "</picture>"
    )


def _conditions(entries: list[Entry]) -> str:
    """Say what ran where, and of how many runs the figures are the medians."""
    machines = sorted({f"{entry.machine} ({entry.date})" for entry in entries})
    versions = dict.fromkeys(one for entry in entries for one in entry.versions.values())
    sizes = sorted({f"{entry.size:,}" for entry in entries})
    return (
        f"Measured on {'; '.join(machines)}, with {'; '.join(versions)}. "
        f"Messages of {', '.join(sizes)} octets; medians, and ± half of the range of the runs."
    )
