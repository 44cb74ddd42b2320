"""Keep what was measured as JSON: one entry a scenario, the newest run of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .figures import Figures
from .scenario import Scenario

__all__ = ["Entry", "load", "save"]


@dataclass(frozen=True)
class Entry:
    """One table, with what has to be known to believe it."""

    scenario: Scenario
    figures: dict[str, Figures]
    failures: dict[str, str]
    #: What was not installed, by the client's name, and what would install it.
    missing: dict[str, str]
    versions: dict[str, str]
    machine: str
    source: str
    date: str
    #: Octets of a message.
    size: int
    #: About how long one run took, in seconds.
    seconds: float


def load(path: Path) -> dict[str, Entry]:
    """Read what was kept, by the scenario's key; nothing where there is no file."""
    if not path.exists():
        return {}
    stored: list[dict[str, Any]] = json.loads(path.read_text())
    entries = [_entry(one) for one in stored]
    return {entry.scenario.key: entry for entry in entries}


def _entry(stored: dict[str, Any]) -> Entry:
    scenario = Scenario(**stored.pop("scenario"))
    figures = {name: Figures(**one) for name, one in stored.pop("figures").items()}
    return Entry(scenario=scenario, figures=figures, **stored)


def save(path: Path, entries: dict[str, Entry]) -> None:
    """Write them all, in the order of the scenarios."""
    ordered = sorted(entries.values(), key=lambda entry: entry.scenario)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(entry) for entry in ordered], indent=1) + "\n")
