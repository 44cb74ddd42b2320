"""`smtps queue`, `run` and `status`."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from smtps import Envelope, Outbox
from smtps.cli import main
from smtps.testing import Fault, Sink
from tests.support.postfix import Postfix
from tests.support.servers import DEFERRED, REFUSED, fresh_address

MESSAGE = b"From: ann@a.example\nTo: bob@b.example\nBcc: eve@b.example\nSubject: Hi\n\nHello\n"


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    path = tmp_path / "queue"
    path.mkdir()
    return path


def put(queue: Path, tmp_path: Path, *options: str) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)
    assert main(["queue", str(queue), str(file), *options]) == 0


def test_queue_takes_files_and_prints_their_ids(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    printed = capsys.readouterr().out.split()
    assert [f"{name}.queued" for name in printed] == os.listdir(queue)
    (listed,) = Outbox(queue).list()
    assert [one.address for one in listed.recipients] == ["bob@b.example", "eve@b.example"]


def test_queue_takes_standard_input_and_another_envelope(
    queue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MESSAGE)))
    arguments = ["--sender", "", "--recipient", "x@y.example", "--json"]
    assert main(["queue", str(queue), *arguments]) == 0
    (listed,) = Outbox(queue).list()
    assert json.loads(capsys.readouterr().out) == [listed.id]
    assert (listed.sender, listed.recipients[0].address) == ("", "x@y.example")


def test_a_file_or_folder_that_is_not_there_is_a_clear_error(
    queue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queue", str(queue), "missing.eml"]) == 66
    assert "missing.eml: cannot be read: No such file" in capsys.readouterr().err
    assert main(["status", str(queue / "missing")]) == 66
    said = capsys.readouterr().err
    assert said == f"smtps: {queue / 'missing'} is not a folder; create it first\n"


@pytest.mark.parametrize("option", ["--retry", "--remove"])
def test_a_message_that_is_not_there_is_named_with_the_option(
    queue: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["status", str(queue), option, "20261125T124712.169425-eb6f2a9f75b1"]) == 65
    said = capsys.readouterr().err
    assert f"{option} 20261125T124712.169425-eb6f2a9f75b1: there is no such message" in said


def test_run_sends_and_reports(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    with Sink() as sink:
        assert main(["run", str(queue), "--url", sink.url]) == 0
    assert sink.count == 1
    assert "1 sent, 0 waiting, 0 failed, 0 in doubt" in capsys.readouterr().out


def test_run_takes_the_relay_from_the_environment(
    queue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", str(queue)]) == 78
    assert "SMTPS_URL" in capsys.readouterr().err
    put(queue, tmp_path)
    with Sink() as sink:
        monkeypatch.setenv("SMTPS_URL", sink.url)
        assert main(["run", str(queue), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["sent"] == 1


@pytest.mark.parametrize(("reply", "status"), [("450 later", 75), ("550 no", 69)])
def test_the_exit_status_tells_later_from_never(
    queue: Path, tmp_path: Path, reply: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    with Sink(faults=[Fault(on="RCPT", reply=reply)]) as sink:
        assert main(["run", str(queue), "--url", sink.url]) == status
    capsys.readouterr()
    assert main(["status", str(queue)]) == 0
    shown = capsys.readouterr().out
    assert reply in shown
    assert ("next attempt 2" in shown) == (status == 75)


def test_status_says_as_json_what_waits_why_and_since_when(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    capsys.readouterr()
    assert main(["status", str(queue), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["counts"] == {"queued": 1, "sending": 0, "failed": 0, "sent": 0}
    (message,) = facts["messages"]
    assert message["state"] == "queued"
    assert message["queued_at"].startswith("20")
    assert main(["status", str(queue), "--remove", message["id"]]) == 0
    assert os.listdir(queue) == []


def test_watch_sends_what_comes_and_ends_cleanly_by_sigterm(queue: Path, tmp_path: Path) -> None:
    with Sink() as sink:
        command = ["run", str(queue), "--watch", "--interval", "0.05", "--json"]
        with subprocess.Popen(
            [sys.executable, "-m", "smtps.cli", *command],
            env={**os.environ, "SMTPS_URL": sink.url},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            put(queue, tmp_path)
            sink.wait_for(1, 30)
            put(queue, tmp_path)
            sink.wait_for(2, 30)
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["sent"] == 1
            assert json.loads(process.stdout.readline())["sent"] == 1
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert os.listdir(queue) == []


def test_watch_outlives_a_relay_that_is_down(queue: Path, tmp_path: Path) -> None:
    put(queue, tmp_path)
    url = "smtp://127.0.0.1:1?tls=none"
    with subprocess.Popen(
        [sys.executable, "-m", "smtps.cli", "run", str(queue), "--watch", "--url", url],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "cannot connect to 127.0.0.1 port 1" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [Path(name).suffix for name in os.listdir(queue)] == [".queued"]


def test_run_hands_what_is_queued_to_a_real_postfix(
    postfix: Postfix,
    queue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SMTPS_URL", postfix.url)
    readers = [fresh_address() for _ in range(20)]
    for reader in readers:
        put(queue, tmp_path, "--recipient", reader, "--sender", "run@queue.example")
    put(queue, tmp_path, "--recipient", REFUSED)
    put(queue, tmp_path, "--recipient", DEFERRED)
    assert main(["run", str(queue), "--connections", "2"]) == 69
    assert "20 sent, 1 waiting, 1 failed, 0 in doubt" in capsys.readouterr().out
    arrived = postfix.received_from("queue.example", 20)
    assert {one.recipients for one in arrived} == {(reader,) for reader in readers}
    assert main(["status", str(queue)]) == 0
    shown = capsys.readouterr().out
    assert "550 5.1.1" in shown
    assert "450 4.2.1" in shown


def test_ctrl_c_ends_a_run_behind_what_is_on_its_way_and_loses_nothing(queue: Path) -> None:
    item = (Envelope("ann@a.example", ["bob@b.example"]), MESSAGE)
    Outbox(queue).put_many([item] * 3000)
    with Sink(faults=[Fault(on=".", delay=0.002)]) as sink:
        with subprocess.Popen(
            [sys.executable, "-m", "smtps.cli", "run", str(queue), "--url", sink.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            sink.wait_for(3, timeout=60)
            process.send_signal(signal.SIGINT)
            shown, complaint = process.communicate(timeout=60)
        left = Outbox(queue).count()
        assert process.returncode == 130
        assert left["queued"] == 3000 - sink.count > 0
        assert left["sending"] == left["failed"] == 0
    assert f"{sink.count:,} sent" in shown
    assert f"interrupted; {left['queued']:,} wait in {queue}" in complaint
    assert "Traceback" not in complaint


def test_of_files_that_are_queued_together_all_go_in_or_none(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.eml", tmp_path / "bad.eml"
    good.write_bytes(MESSAGE)
    bad.write_bytes(b"From: ann@a.example\n\nFor nobody\n")
    assert main(["queue", str(queue), str(good), str(bad)]) == 65
    said = capsys.readouterr()
    assert said.err == f"smtps: {bad}: To: no recipient is named; say --recipient\n"
    assert (said.out, os.listdir(queue)) == ("", [])


def test_a_run_with_nothing_due_says_when_something_will_be(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    with Sink(faults=[Fault(on="RCPT", reply="450 later")]) as sink:
        main(["run", str(queue), "--url", sink.url])
        capsys.readouterr()
        assert main(["run", str(queue), "--url", sink.url]) == 75
    said = capsys.readouterr()
    assert re.search(r"0 sent, 1 waiting, 0 failed, 0 in doubt; next attempt in \d min", said.out)
    assert said.err == ""


def test_what_is_in_doubt_is_told_with_the_ways_out(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(queue, tmp_path)
    with Sink(faults=[Fault(on=".", silent=True, drop=True)]) as sink:
        assert main(["run", str(queue), "--url", sink.url]) == 69
    assert "  --in-doubt resend sends what is in doubt again" in capsys.readouterr().out


def test_a_second_ctrl_c_says_how_many_are_in_doubt(queue: Path) -> None:
    item = (Envelope("ann@a.example", ["bob@b.example"]), MESSAGE)
    Outbox(queue).put_many([item] * 3)
    with Sink(faults=[Fault(on=".", nth=2, stall=True)]) as sink:
        with subprocess.Popen(
            [sys.executable, "-m", "smtps.cli", "run", str(queue), "--url", sink.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            # The first has gone, and the second is never answered.
            while sum(Outbox(queue).count().values()) > 2:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while "ending" not in process.stderr.readline():
                pass
            process.send_signal(signal.SIGINT)
            shown, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    states = [one.state for one in Outbox(queue).walk("queued", "sending")]
    doubtful = states.count("in doubt")
    assert doubtful > 0
    assert f"1 sent, 0 waiting, 0 failed, {doubtful} in doubt" in shown
    assert "in doubt: interrupted before the answer came\n" in shown
    assert f"interrupted; {states.count('queued')} wait in {queue}\n" in complaint


def test_status_finds_the_folder_in_the_configuration_too(
    queue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 64
    assert "FOLDER: missing; name the queue folder, or set outbox" in capsys.readouterr().err
    monkeypatch.setenv("SMTPS_OUTBOX", str(queue))
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "0 queued, 0 sending, 0 failed, 0 sent\n"


def test_times_are_those_of_the_clock_on_the_wall(
    queue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    item = (Envelope("ann@a.example", ["bob@b.example"]), MESSAGE)
    Outbox(queue).put(item)
    (listed,) = Outbox(queue).list()
    assert listed.queued_at is not None
    monkeypatch.setenv("TZ", "UTC-5:30")
    time.tzset()
    try:
        assert main(["status", str(queue)]) == 0
    finally:
        monkeypatch.undo()
        time.tzset()
    there = listed.queued_at + timedelta(hours=5, minutes=30)
    assert f"since {there:%Y-%m-%d %H:%M:%S}" in capsys.readouterr().out
