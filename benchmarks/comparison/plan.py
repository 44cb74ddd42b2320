"""Run all clients of a scenario in turns, so that a slow minute of the machine hits them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .clients import Client
from .figures import Figures, Run, next_count, summarise
from .measure import Failed, run_once
from .places import Place
from .progress import Progress
from .scenario import Scenario
from .works import WORKS

__all__ = ["Results", "compare"]

# Until a run takes at least this share of the time it should, it is done again with more messages.
_ENOUGH = 0.4


@dataclass
class Results:
    """What came of a scenario: figures by the client's name, or why there are none."""

    figures: dict[str, Figures] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def compare(
    scenario: Scenario,
    clients: list[Client],
    place: Place,
    content: Path,
    *,
    rounds: int,
    seconds: float,
    progress: Progress,
) -> Results:
    """Find how many messages make a run of some seconds for each client, then run all in turns."""
    results = Results()
    runs: dict[str, list[Run]] = {}
    counts: dict[str, int] = {}
    for client in clients:
        progress.step(f"{scenario.key}: {client.name}, how many?")
        try:
            counts[client.name] = _find_count(client, scenario, place, content, seconds)
        except Failed as error:
            results.failures[client.name] = str(error)
    for number in range(rounds):
        for client in clients:
            name = client.name
            progress.step(f"{scenario.key}: {name}, round {number + 1} of {rounds}")
            if name in results.failures:
                continue
            try:
                run = run_once(client, scenario, place, content, counts[name])
            except Failed as error:
                results.failures[name] = str(error)
            else:
                runs.setdefault(name, []).append(run)
                progress.note(f"{name}, {run.rate:,.0f}/s")
    results.figures = {
        name: summarise(list_of_runs)
        for name, list_of_runs in runs.items()
        if name not in results.failures
    }
    return results


def _find_count(
    client: Client, scenario: Scenario, place: Place, content: Path, seconds: float
) -> int:
    first = 2 if scenario.round_trip else WORKS[scenario.work].first
    count = client.messages or scenario.connections * first
    while True:
        run = run_once(client, scenario, place, content, count)
        if client.messages:
            return count
        count = next_count(run, seconds, scenario.connections)
        if run.seconds >= _ENOUGH * seconds:
            return count
