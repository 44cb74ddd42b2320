"""Runs with many messages in flight, over a connection and over a pool."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smtps import (
    SMTPS,
    AsyncSMTPS,
    BadValue,
    ConnectionFailed,
    Envelope,
    InDoubt,
    Interrupted,
    Outbox,
    Pool,
    QueueFolderError,
)
from smtps.dialogue import manners
from smtps.outbox import bulk
from smtps.spool.folder import Folder
from smtps.spool.inflight import Inflight
from smtps.testing import Fault, Sink
from tests.support.queues import open_files, put, states

Dial = Callable[[str], Any]


@pytest.fixture(autouse=True)
def _unknown_servers() -> Iterator[None]:
    manners.forget()
    yield
    manners.forget()


@pytest.fixture(params=["connection", "pool"])
def dial(request: pytest.FixtureRequest) -> Dial:
    if request.param == "pool":
        return lambda url: Pool(url, connections=3)
    return SMTPS.from_url


def fill(outbox: Outbox, count: int) -> list[str]:
    return outbox.put_many(
        (Envelope("ann@a.example", [f"bob{n}@b.example"]), b"Subject: %d\r\n\r\nHello\r\n" % n)
        for n in range(count)
    )


def recipients(sink: Sink) -> list[str]:
    return sorted(one for message in sink.messages for one in message.recipients)


def everyone(count: int) -> list[str]:
    return sorted(f"bob{n}@b.example" for n in range(count))


def test_every_message_arrives_once_and_nothing_is_left(
    outbox: Outbox, tmp_path: Path, dial: Dial
) -> None:
    fill(outbox, 700)
    with Sink() as sink, dial(sink.url) as relay:
        assert outbox.run(relay).sent == 700
    assert recipients(sink) == everyone(700)
    assert os.listdir(tmp_path) == []


def test_a_server_without_extensions_gets_them_one_by_one(
    outbox: Outbox, tmp_path: Path, dial: Dial
) -> None:
    fill(outbox, 20)
    with Sink(extensions=[]) as sink, dial(sink.url) as relay:
        assert outbox.run(relay).sent == 20
    assert recipients(sink) == everyone(20)
    assert os.listdir(tmp_path) == []


def test_refused_and_deferred_messages_are_told_from_those_around_them(
    outbox: Outbox, tmp_path: Path, dial: Dial
) -> None:
    names = fill(outbox, 50)
    faults = [
        Fault(on="RCPT", when="bob7@", reply="550 5.1.1 unknown"),
        Fault(on="RCPT", when="bob9@", reply="450 4.2.1 busy"),
    ]
    with Sink(faults=faults) as sink, dial(sink.url) as relay:
        report = outbox.run(relay)
    assert (report.sent, report.deferred) == (48, 1)
    assert report.failed == {names[7]: "<bob7@b.example>: 550 5.1.1 unknown"}
    assert sorted(states(tmp_path)) == [".failed", ".queued", ".reason"]


def test_large_messages_and_those_with_conditions_go_between_the_others(
    outbox: Outbox, tmp_path: Path, dial: Dial
) -> None:
    fill(outbox, 5)
    put(tmp_path, "bob5@b.example", content=b"A: b\r\n\r\n" + b"x" * 300_000 + b"\r\n")
    put(tmp_path, "bob6@b.example", "gone@b.example", required=True)
    put(tmp_path, "bob7@b.example", required=True)
    fill(outbox, 5)
    fault = Fault(on="RCPT", when="gone@", reply="550 no")
    with Sink(faults=[fault]) as sink, dial(sink.url) as relay:
        report = outbox.run(relay)
    assert (report.sent, len(report.failed)) == (12, 1)
    assert max(len(message.content) for message in sink.messages) > 300_000
    assert "bob6@b.example" not in recipients(sink)


def test_a_relay_that_is_down_counts_no_attempt_and_loses_nothing(
    outbox: Outbox, dial: Dial
) -> None:
    fill(outbox, 300)
    with dial("smtp://127.0.0.1:1?tls=none") as relay, pytest.raises(ConnectionFailed):
        outbox.run(relay)
    listed = outbox.list()
    assert len(listed) == 300
    assert {(one.state, one.attempts) for one in listed} == {("queued", 0)}
    with Sink() as sink, dial(sink.url) as relay:
        assert outbox.run(relay).sent == 300


def test_what_was_in_flight_when_the_answers_were_lost_is_in_doubt_and_the_rest_is_sent(
    outbox: Outbox, tmp_path: Path
) -> None:
    fill(outbox, 100)
    with Sink(faults=[Fault(on=".", nth=50, silent=True, drop=True)]) as sink:
        with SMTPS.from_url(sink.url) as smtp:
            report = outbox.run(smtp, window=4)
        assert 1 <= len(report.in_doubt) <= 4
        assert report.sent + len(report.in_doubt) == 100
        assert len(recipients(sink)) == len(set(recipients(sink)))
        again = Outbox(tmp_path, in_doubt=InDoubt.ASSUME_SENT)
        with SMTPS.from_url(sink.url) as smtp:
            again.run(smtp)
    assert os.listdir(tmp_path) == []


def test_sent_messages_are_kept_on_demand(tmp_path: Path, dial: Dial) -> None:
    outbox = Outbox(tmp_path, keep=True)
    fill(outbox, 10)
    with Sink() as sink, dial(sink.url) as relay:
        assert outbox.run(relay).sent == 10
        assert states(tmp_path) == [".sent"] * 10
        assert outbox.run(relay).sent == 0


def test_no_more_files_are_open_than_the_system_allows(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_GROUP", 16)
    monkeypatch.setattr(bulk, "_most_files", lambda: 16 + 128 + 20)
    fill(outbox, 400)
    most = 0

    def watch(_: object) -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/fd")))

    before = len(os.listdir("/proc/self/fd"))
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        assert outbox.run(smtp, progress=watch).sent == 400
    # A group, what is in flight, and what waits to be closed.
    assert most < before + 2 * 16 + 20 + 32 * 9 + 10
    assert len(os.listdir("/proc/self/fd")) <= before


def test_an_interruption_gives_back_what_was_not_begun(outbox: Outbox, tmp_path: Path) -> None:
    fill(outbox, 300)
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        with pytest.raises(Interrupted):
            outbox.run(smtp, window=8, progress=lambda _: smtp.interrupt())
        held = [one for one in outbox.list() if one.state == "in doubt"]
        assert len(held) <= 16
        assert outbox.run(smtp).sent + sink.count >= 300 - len(held)
    assert len(recipients(sink)) == len(set(recipients(sink)))


def test_progress_that_raises_ends_the_run_and_loses_nothing(
    outbox: Outbox, tmp_path: Path
) -> None:
    fill(outbox, 300)

    def fail(report: Any) -> None:
        if report.sent == 100:
            raise ZeroDivisionError

    with Sink() as sink:
        with SMTPS.from_url(sink.url) as smtp, pytest.raises(ZeroDivisionError):
            outbox.run(smtp, window=8, progress=fail)
        with SMTPS.from_url(sink.url) as smtp:
            report = outbox.run(smtp)
        assert len(recipients(sink)) == len(set(recipients(sink)))
        assert set(recipients(sink)) | set(everyone(300)) == set(everyone(300))
        assert len(set(recipients(sink))) >= 300 - len(report.in_doubt)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".inflight")]


def test_stop_lets_what_is_in_flight_come_to_its_end(outbox: Outbox, tmp_path: Path) -> None:
    fill(outbox, 300)
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        report = outbox.run(smtp, window=8, progress=lambda _: outbox.stop())
        assert 0 < report.sent == sink.count < 300
        assert states(tmp_path) == [".queued"] * (300 - sink.count)


def test_what_a_machine_had_on_its_way_when_it_stopped_is_in_doubt(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = put(tmp_path)
    other = put(tmp_path)
    with Folder(tmp_path) as folder:
        Inflight(folder, [name]).leave()
    for stopped in (name, other):
        (tmp_path / f"{stopped}.queued").rename(tmp_path / f"{stopped}.sending")
    monkeypatch.setattr("smtps.spool.inflight.boot_id", lambda: "the next one")
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        report = outbox.run(smtp)
    assert report.in_doubt == {name: "<bob@b.example>: on its way when the machine stopped"}
    assert report.sent == 1
    assert states(tmp_path) == [".sending"]


def test_what_a_process_of_this_start_had_not_handed_over_is_sent(
    outbox: Outbox, tmp_path: Path
) -> None:
    name = put(tmp_path)
    with Folder(tmp_path) as folder:
        Inflight(folder, [name]).leave()
    (tmp_path / f"{name}.queued").rename(tmp_path / f"{name}.sending")
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        assert outbox.run(smtp).sent == 1
    assert os.listdir(tmp_path) == []


def test_only_a_connection_or_a_pool_is_taken(outbox: Outbox) -> None:
    with pytest.raises(BadValue, match="smtp_or_pool: expected an SMTPS or a Pool, not AsyncSMTPS"):
        outbox.run(AsyncSMTPS())  # type: ignore[arg-type]


def test_a_folder_that_is_exchanged_in_mid_run_stays_the_one_it_was(tmp_path: Path) -> None:
    path, moved = tmp_path / "queue", tmp_path / "moved"
    path.mkdir()
    outbox = Outbox(path)
    fill(outbox, 20)

    def exchange(report: Any) -> None:
        if report.done == 1:
            path.rename(moved)
            path.mkdir()
            put(path, "other@b.example")

    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        assert outbox.run(smtp, window=2, progress=exchange).sent == 20
    assert recipients(sink) == everyone(20)
    assert os.listdir(moved) == []
    assert states(path) == [".queued"]


def test_only_the_files_that_were_given_are_closed() -> None:
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(8)]
    given, kept = fds[:2] + fds[3:5] + fds[7:], [fds[2], *fds[5:7]]
    bulk._close_all(list(reversed(given)))
    for fd in given:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
    for fd in kept:
        os.close(fd)


def test_a_message_whose_file_cannot_be_removed_is_not_kept_locked(
    outbox: Outbox, tmp_path: Path, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(outbox, 20)
    remove = Folder.remove

    def broken(self: Folder, name: str) -> bool:
        if name.endswith(".sending"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return remove(self, name)

    monkeypatch.setattr(Folder, "remove", broken)
    with Sink() as sink, dial(sink.url) as relay, pytest.raises(QueueFolderError):
        outbox.run(relay)
    assert open_files(tmp_path) == []


def test_what_cannot_be_given_back_is_not_kept_locked(
    outbox: Outbox, tmp_path: Path, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(outbox, 20)
    rename = Folder.rename

    def broken(self: Folder, old: str, new: str) -> None:
        if new.endswith(".queued"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        rename(self, old, new)

    monkeypatch.setattr(Folder, "rename", broken)
    with Sink() as sink:
        url = sink.url
    with dial(url) as relay, pytest.raises((QueueFolderError, ConnectionFailed)):
        outbox.run(relay)
    assert open_files(tmp_path) == []


def test_files_are_closed_where_no_thread_starts(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(outbox, 200)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "outbox":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        assert outbox.run(smtp).sent == 200
    assert open_files(tmp_path) == []
