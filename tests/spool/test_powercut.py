"""A power cut at any moment of put, of a run: in no state that it can leave is anything wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtps import SMTPS, Outbox, Schedule
from smtps.testing import Sink
from tests.support.powercut import STRACE, State, states_of
from tests.support.tracer import Tracer
from tests.support.victim import item

NAMES = ["m1", "m2", "m3"]


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    with Tracer(tmp_path_factory.mktemp("tracer")) as tracer:
        yield tracer


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    path = tmp_path / "queue"
    path.mkdir()
    return path


def write(path: Path, state: State) -> None:
    for file in path.iterdir():
        file.unlink()
    for name, data in state.items():
        (path / name).write_bytes(data)


def read(path: Path) -> State:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def after_put(tracer: Tracer, queue: Path, job: dict[str, Any]) -> tuple[int, list[str]]:
    """Count the states after a put, and say what is wrong with some."""
    outcome = tracer.run({**job, "folder": str(queue), "names": NAMES}, *STRACE)
    ids = outcome.lines
    assert len(ids) == 3
    wrong = []
    states = [state for _, state in states_of(outcome.trace, {}, str(queue))]
    for number, state in enumerate(states):
        write(queue, state)
        listed = Outbox(queue).list()
        if any(not one.sender for one in listed):
            wrong.append(f"state {number}: a torn message is in the queue")
    promised = {f"{name}.queued" for name in ids}
    for _, state in states_of(outcome.trace, {}, str(queue), at_end=True):
        if not promised <= state.keys():
            wrong.append("a message that was promised is not there")
    return len(states), wrong


@pytest.mark.parametrize("do", ["put", "put_many"])
def test_no_power_cut_loses_or_tears_what_was_put(tracer: Tracer, queue: Path, do: str) -> None:
    count, wrong = after_put(tracer, queue, {"do": do})
    assert wrong == []
    assert count >= 16


def after_run(
    tracer: Tracer, queue: Path, monkeypatch: pytest.MonkeyPatch, job: dict[str, Any]
) -> tuple[int, list[str]]:
    """Count the states after a run, and say what is wrong with some."""
    write(queue, {})
    Outbox(queue).put_many(item(name) for name in NAMES)
    before = read(queue)
    with Sink() as sink:
        outcome = tracer.run({**job, "do": "run", "folder": str(queue), "url": sink.url}, *STRACE)
    assert outcome.lines == ["3 0 0 0"]
    wrong = []
    count = 0
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        monkeypatch.setattr("smtps.spool.inflight.boot_id", lambda: "the next one")
        for handed_over, state in states_of(outcome.trace, before, str(queue)):
            count += 1
            write(queue, state)
            seen = sink.count
            report = Outbox(queue, schedule=Schedule(first=0)).run(smtp)
            again = {message.recipients[0][:2] for message in sink.messages[seen:]}
            for place, name in enumerate(NAMES):
                is_held = any(name.encode() in data for data in read(queue).values())
                if place < handed_over and name in again:
                    wrong.append(f"state {count}: {name} was sent twice")
                if place >= handed_over and name not in again and not is_held:
                    wrong.append(f"state {count}: {name} is lost")
            if report.failed:
                wrong.append(f"state {count}: {report.failed}")
            if len(wrong) > 4:
                break
    return count, wrong


@pytest.mark.parametrize("window", [1, None])
def test_no_power_cut_in_a_run_loses_or_doubles_a_message(
    tracer: Tracer, queue: Path, monkeypatch: pytest.MonkeyPatch, window: int | None
) -> None:
    count, wrong = after_run(tracer, queue, monkeypatch, {"window": window})
    assert wrong == []
    assert count > 30


@pytest.mark.parametrize("window", [1, None])
@pytest.mark.parametrize("without", ["file syncs", "hand-overs"])
def test_a_run_that_leaves_out_a_step_is_caught(
    tracer: Tracer,
    queue: Path,
    monkeypatch: pytest.MonkeyPatch,
    without: str,
    window: int | None,
) -> None:
    _, wrong = after_run(tracer, queue, monkeypatch, {"without": without, "window": window})
    assert any("sent twice" in sentence for sentence in wrong)


@pytest.mark.parametrize("without", ["file syncs", "folder syncs"])
def test_a_put_that_leaves_out_a_step_is_caught(tracer: Tracer, queue: Path, without: str) -> None:
    _, wrong = after_put(tracer, queue, {"do": "put_many", "without": without})
    assert wrong
