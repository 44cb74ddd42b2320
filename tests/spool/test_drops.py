"""A connection that is dropped at any byte of the dialogue loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from smtps import SMTPS, Outbox, Report, Schedule
from smtps.testing import Fault, Sink
from tests.support.victim import item

SHARE = 1.0 if os.environ.get("SMTPS_KILLS") == "all" else 0.25


def run(path: Path, *faults: Fault) -> tuple[Report, Sink]:
    with Sink(faults=faults) as sink, SMTPS.from_url(sink.url) as smtp:
        try:
            report = Outbox(path, schedule=Schedule(first=0)).run(smtp)
        except ConnectionError:
            # The session never came up.
            report = Report()
    return report, sink


def places(path: Path, direction: str) -> list[int]:
    """Give the numbers of bytes after which the connection may be dropped."""
    Outbox(path).put(item("m1"))
    _, sink = run(path)
    every = range(1, getattr(sink.connections[0], direction) + 1)
    return sorted(random.Random(direction).sample(every, round(len(every) * SHARE)))


@pytest.mark.parametrize("ending", ["drop", "reset"])
@pytest.mark.parametrize("direction", ["received", "sent"])
def test_a_message_is_with_the_server_or_in_the_folder_or_held_in_doubt(
    tmp_path: Path, direction: str, ending: str
) -> None:
    outbox = Outbox(tmp_path)
    for place in places(tmp_path, direction):
        outbox.put(item("m1"))
        fault = Fault(**{direction: place, ending: True})  # type: ignore[arg-type]
        report, sink = run(tmp_path, fault)
        where = (direction, place, sink.count, report)
        (left,) = outbox.list() or (None,)
        if left is None:
            assert sink.count == 1, where
        elif left.state == "in doubt":
            assert list(report.in_doubt) == [left.id], where
            outbox.remove(left.id)
        else:
            assert left.state == "queued", where
            assert sink.count == 0, where
            report, sink = run(tmp_path)
            assert (report.sent, sink.count) == (1, 1), where
        assert outbox.list() == [], where
