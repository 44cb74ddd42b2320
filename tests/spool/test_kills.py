"""A worker that is killed before any of its system calls loses nothing and doubles nothing.

Each test does a job once to count its calls, then once more for each of them, killed there; then
somebody else goes on, and the record of the sink and the folder together must hold every message
once. `SMTPS_KILLS=all` does them all; without it a share of them is drawn, by the same seed.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtps import SMTPS, Outbox, Report, Schedule
from smtps.spool.names import FAILED, QUEUED, SENDING
from smtps.testing import Fault, Sink
from tests.support.queues import history
from tests.support.tracer import Outcome, Tracer
from tests.support.victim import item

NAMES = ["m1", "m2", "m3"]
ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EMFILE")
SHARE = 1.0 if os.environ.get("SMTPS_KILLS") == "all" else 0.34


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracer]:
    with Tracer(tmp_path_factory.mktemp("tracer")) as tracer:
        yield tracer


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    path = tmp_path / "queue"
    path.mkdir()
    return path


#: How often a run looks for an answer depends on the moment; it may end before such a kill.
WAITING = ("poll", "recvfrom")


def moments(outcome: Outcome, share: float = SHARE) -> list[tuple[str, int]]:
    """Give every call of a job, by its name and its number among those of that name."""
    assert outcome.status == 0, outcome
    every = [(call, n + 1) for call, times in outcome.calls.items() for n in range(times)]
    chosen = random.Random(len(every)).sample(every, max(1, round(len(every) * share)))
    return sorted(chosen)


def identifiers(path: Path, extension: str) -> Counter[str]:
    """Count the messages in a folder by their Message-ID; a file that is torn has none."""
    found = [file.read_bytes() for file in path.glob(f"*{extension}")]
    return Counter(re.findall(r"Message-ID: <(\w+)@", b"\n".join(found).decode()))


def finish(path: Path, sink: Sink) -> Report:
    """Let somebody else send what is there."""
    with SMTPS.from_url(sink.url) as smtp:
        return Outbox(path, schedule=Schedule(first=0)).run(smtp, window=1)


def sent(sink: Sink) -> Counter[str]:
    found = b"\n".join(message.content for message in sink.messages).decode()
    return Counter(re.findall(r"Message-ID: <(\w+)@", found))


# --- put ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["put", "put_many"])
def test_a_put_that_is_killed_anywhere_keeps_what_it_returned(
    tracer: Tracer, queue: Path, do: str
) -> None:
    job = {"do": do, "folder": str(queue), "names": NAMES}
    for call, number in moments(tracer.run(job)):
        empty(queue)
        outcome = tracer.kill(job, call, number)
        assert outcome.killed
        listed = Outbox(queue).list()
        assert all(one.sender == "ann@a.example" for one in listed), (call, number)
        assert {one.id for one in listed} >= set(outcome.lines), (call, number)
        with Sink() as sink:
            assert finish(queue, sink).sent == len(listed)
            assert set(sent(sink).values()) <= {1}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("do", ["put", "put_many"])
def test_a_put_whose_call_fails_raises_and_leaves_nothing(
    tracer: Tracer, queue: Path, do: str, error: str
) -> None:
    job = {"do": do, "folder": str(queue), "names": NAMES[:1] if do == "put" else NAMES}
    counted = tracer.run(job)
    for call in ("openat", "pwrite64", "fsync", "renameat"):
        for number in range(1, counted.calls[call] + 1):
            empty(queue)
            outcome = tracer.fail(job, call, number, error)
            assert outcome.lines[0].startswith(f"error: the queue folder {queue}: "), outcome
            assert os.listdir(queue) == [], (call, number)


# --- run ------------------------------------------------------------------------------------------


def fill(path: Path) -> None:
    empty(path)
    outbox = Outbox(path)
    outbox.put_many([item("m1"), item("m2", "later@b.example", "m2@b.example"), item("m3")])


FAULTS = (
    Fault(on="RCPT", when="later@", nth=1, reply="450 4.2.1 later"),
    Fault(on="RCPT", when="m3@", nth=1, reply="450 4.2.1 later"),
)


def check_union(path: Path, sink: Sink, report: Report, place: Any) -> None:
    """Hold the record of the sink and the folder together against what was put."""
    delivered = Counter(
        (next(iter(re.findall(r"Message-ID: <(\w+)@", message.content.decode()))), recipient)
        for message in sink.messages
        for recipient in message.recipients
    )
    everyone = {
        *(("m1", "m1@b.example"), ("m2", "later@b.example")),
        *(("m2", "m2@b.example"), ("m3", "m3@b.example")),
    }
    held = {name for name, state in states(path).items() if state == SENDING}
    for name, recipient in everyone:
        times = delivered[name, recipient]
        assert times <= 1, (place, "doubled", name, recipient)
        assert times == 1 or name in held, (place, "lost", name, recipient)
    assert set(states(path).values()) <= {SENDING}, place
    assert len(report.in_doubt) == len(held), place
    for file in path.glob(f"*{SENDING}"):
        assert "handed over" in {line["event"] for line in history(file)}, place


def states(path: Path) -> dict[str, str]:
    return {
        name: extension
        for extension in (QUEUED, SENDING, FAILED)
        for name in identifiers(path, extension)
    }


@pytest.mark.parametrize("window", [1, None])
def test_a_run_that_is_killed_anywhere_neither_loses_nor_doubles(
    tracer: Tracer, queue: Path, window: int | None
) -> None:
    job = {"do": "run", "folder": str(queue), "window": window}
    fill(queue)
    with Sink(faults=FAULTS) as sink:
        counted = tracer.run({**job, "url": sink.url})
    # All of them: how many leave a doubt is a property of the whole, and not of a drawn share.
    every = moments(counted, 1.0)
    doubtful = killed = 0
    for call, number in every:
        fill(queue)
        with Sink(faults=FAULTS) as sink:
            outcome = tracer.kill({**job, "url": sink.url}, call, number)
            killed += outcome.killed or call in WAITING
            report = finish(queue, sink)
            while report.deferred:
                report = finish(queue, sink)
            check_union(queue, sink, report, (call, number))
        doubtful += bool(report.in_doubt)
    assert killed > 0.9 * len(every)
    # Only between "handed over" and the removal there is doubt.
    assert 0 < doubtful < 0.35 * len(every)


@pytest.mark.parametrize("policy", ["hold", "resend", "assume-sent"])
def test_a_recovery_that_is_killed_anywhere_is_recovered_again(
    tracer: Tracer, queue: Path, tmp_path: Path, policy: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    Outbox(model).put_many([item("m1"), item("m2"), item("m3")])
    with Sink(faults=[Fault(on=".", nth={1, 3}, drop=True, silent=True)]) as sink:
        finish(model, sink)
    job = {"do": "run", "folder": str(queue), "in_doubt": policy, "window": 1}
    expected = {"hold": 0, "resend": 2, "assume-sent": 0}[policy]

    def restore() -> None:
        empty(queue)
        for file in model.iterdir():
            shutil.copy(file, queue)

    restore()
    with Sink() as sink:
        counted = tracer.run({**job, "url": sink.url})
        assert sink.count == expected
    chosen, killed = moments(counted), 0
    for call, number in chosen:
        restore()
        with Sink() as sink:
            outcome = tracer.kill({**job, "url": sink.url}, call, number)
            killed += outcome.killed or call in WAITING
            tracer.run({**job, "url": sink.url})
            counts = sent(sink)
            left = states(queue)
        for name in ("m1", "m3"):
            if policy == "hold":
                assert (counts[name], left.get(name)) == (0, SENDING), (call, number)
            elif policy == "assume-sent":
                assert (counts[name], left.get(name)) == (0, None), (call, number)
            else:
                # Resending may double by its name; it never loses.
                assert 1 <= counts[name] <= 2, (call, number)
                assert name not in left, (call, number)
    assert killed > 0.9 * len(chosen)


@pytest.mark.parametrize("window", [1, None])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EROFS", "EMFILE"])
def test_a_run_whose_call_fails_loses_nothing(
    tracer: Tracer, queue: Path, error: str, window: int | None
) -> None:
    job = {"do": "run", "folder": str(queue), "window": window}
    fill(queue)
    with Sink(faults=FAULTS) as sink:
        counted = tracer.run({**job, "url": sink.url})
    folder_calls = ("openat", "pwrite64", "fdatasync", "renameat", "unlinkat", "fsync")
    every = [(call, n + 1) for call in folder_calls for n in range(counted.calls[call])]
    for call, number in every if SHARE == 1 else random.Random(error).sample(every, 8):
        fill(queue)
        with Sink(faults=FAULTS) as sink:
            outcome = tracer.fail({**job, "url": sink.url}, call, number, error)
            assert outcome.status == 0, (call, number)
            report = finish(queue, sink)
            while report.deferred:
                report = finish(queue, sink)
            check_union(queue, sink, report, (call, number, error, outcome.lines))


def test_no_other_call_changes_the_folder_or_writes_to_the_socket(
    tracer: Tracer, queue: Path
) -> None:
    fill(queue)
    with Sink() as sink:
        job = {"do": "run", "folder": str(queue), "url": sink.url}
        calls = tracer.run(job, calls=("all",)).calls
    assert not set(calls) & {
        *("rename", "renameat2", "link", "linkat", "unlink", "mkdirat", "symlinkat", "truncate"),
        *("fallocate", "msync", "pwritev", "pwritev2", "writev", "sendfile", "copy_file_range"),
        *("fsetxattr", "utimensat", "fchmod", "sendmsg", "sync_file_range"),
    }
    assert {"openat", "pwrite64", "fdatasync", "renameat", "unlinkat", "sendto"} <= set(calls)


def empty(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()
