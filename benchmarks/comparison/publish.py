"""Put chosen tables and the plot into the README and into `docs/`."""

from __future__ import annotations

import re
from pathlib import Path

from .native import FOLDER
from .plot import draw
from .record import Entry
from .table import markdown, matrix
from .works import WORKS

__all__ = ["picture", "publish", "replace_between"]


# The document of each kind, by whether clients compose.
_KINDS = {
    False: ("comparison", "The comparison"),
    True: ("composition", "The comparison of composing"),
}
_COMPOSED = (
    "Each client composes every message, with a name in its texts, a subject and a recipient of its"
    " own, in UTF-8, and sends it over one connection on the loopback into a discarding sink in C:"
    " smtplib and aiosmtplib from an `EmailMessage`, signed by dkimpy; libcurl from its MIME parts,"
    " whose headers are encoded for it; nodemailer by its own composer and signer. For a mailing"
    ' they do what they do for letters; this library encodes what does not change once. "The same'
    ' message again" is a sender in C that composes nothing. What only signs takes one finished'
    " message again and again, and sends nothing, as what is only composed is not sent;"
    ' "signatures alone" signs a hash.'
)


def publish(entries: dict[str, Entry], keys: list[str], root: Path = FOLDER.parent) -> None:
    """Write the plot and one table of these scenarios, and a document with all of their kind.

    Those in which clients compose are of one kind, all others of another.

    Raises:
        SystemExit: a scenario was not measured, they are of both kinds, or the README has no place
            for them.
    """
    unknown = [key for key in keys if key not in entries]
    if unknown:
        raise SystemExit(f"not measured: {', '.join(unknown)}; measured: {', '.join(entries)}")
    chosen = [entries[key] for key in keys]
    kinds = {entry.scenario.composes for entry in chosen}
    if len(kinds) != 1:
        raise SystemExit("publish what is composed apart from what is sent as it is")
    (composes,) = kinds
    name, title = _KINDS[composes]
    readme, folder = root / "README.md", root / "docs"
    folder.mkdir(exist_ok=True)
    plot = picture(chosen, name)
    brief = "\n\n".join([plot.replace(f'="{name}', f'="docs/{name}'), matrix(chosen)])
    begin, end = f"<!-- {name}: made by benchmarks/compare.py -->", f"<!-- end of {name} -->"
    readme.write_text(replace_between(readme.read_text(), begin, end, brief))
    for theme in ("light", "dark"):
        draw(chosen, folder / f"{name}-{theme}.svg", dark=theme == "dark")
    every = [
        entry
        for entry in sorted(entries.values(), key=lambda entry: entry.scenario)
        if entry.scenario.composes == composes
    ]
    if composes:
        # What people send first, and both ways to the server beside each other.
        order = list(WORKS)
        every.sort(key=lambda entry: order.index(entry.scenario.work))
    other, other_title = _KINDS[not composes]
    seeing = f"See also [{other_title[:1].lower()}{other_title[1:]}]({other}.md)."
    whole = [f"# {title}", plot, _conditions(every), seeing, *map(markdown, every)]
    (folder / f"{name}.md").write_text("\n\n".join(whole) + "\n")


def replace_between(document: str, begin: str, end: str, text: str) -> str:
    """Put a text between two marks, in place of what is there.

    Raises:
        SystemExit: the marks are missing.
    """
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"the README lacks the marks {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document, count=1)


def picture(chosen: list[Entry], name: str) -> str:
    """Show the plot of these scenarios, in the reader's colours."""
    titles = "; ".join(entry.scenario.title for entry in chosen)
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{name}-dark.svg">\n'
        f'  <img alt="Messages a second of each client: {titles}" src="{name}-light.svg">\n'
        "</picture>"
    )


def _conditions(entries: list[Entry]) -> str:
    """Say what ran where, and of how many runs the figures are the medians."""
    machines = sorted({f"{entry.machine} ({entry.date})" for entry in entries})
    versions = dict.fromkeys(one for entry in entries for one in entry.versions.values())
    measured = f"Measured on {'; '.join(machines)}, with {'; '.join(versions)}. "
    rule = "Medians, and ± half of the range of the runs"
    if entries[0].scenario.composes:
        return f"{measured}{_COMPOSED} {rule}; the peak of memory is that of the worst run."
    sizes = sorted({f"{entry.size:,}" for entry in entries})
    return f"{measured}Messages of {', '.join(sizes)} octets. {rule}."
