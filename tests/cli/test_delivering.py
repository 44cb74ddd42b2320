"""What `smtps send` says and does when it is ended, or when nothing can be written any more."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtps.testing import Fault, Sink

ANN = ["--from", "Ann <ann@a.example>"]
MERGE = [*ANN, "--to", "{{ name }} <{{ mail }}>", "--subject", "Hi {{ name }}", "--text", "x"]
ONE = [*ANN, "--to", "bob@b.example", "--text", "x"]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def many(tmp_path: Path) -> Path:
    path = tmp_path / "many.csv"
    path.write_text("name,mail\n" + "".join(f"n{n},n{n}@b.example\n" for n in range(1000)))
    return path


def start(
    sink: Sink, *arguments: str, stdin: int | None = None, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "smtps.cli", "send", *arguments],
        env={**os.environ, "SMTPS_URL": sink.url},
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt_twice(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "ending" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


def test_ctrl_c_sends_what_was_begun_and_says_what_was_not(many: Path, sink: Sink) -> None:
    with start(sink, *MERGE, "--mailing", str(many), "--rate", "100/s") as process:
        sink.wait_for(3, 30)
        process.send_signal(signal.SIGINT)
        output, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"{sink.count} messages: {sink.count} accepted" in output
    assert f"{1000 - sink.count:,} of 1,000 were not begun" in complaint
    assert f"--first-row {sink.count + 1}" in complaint
    assert "Traceback" not in complaint


def test_where_receipts_have_no_room_any_more_no_message_is_begun_and_all_are_counted(
    many: Path, sink: Sink, tmp_path: Path
) -> None:
    receipts = str(tmp_path / "receipts.csv")
    words = ["send", *MERGE, "--mailing", str(many), "--receipts", receipts]
    done = subprocess.run(
        # No file may have more than a few blocks.
        ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", sys.executable, "-m", "smtps.cli", *words],
        env={**os.environ, "SMTPS_URL": sink.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 74
    assert f"smtps: --receipts {receipts}: File too large; what is on its way" in done.stderr
    assert done.stderr.count("File too large") == 1
    assert f"{sink.count:,} messages: {sink.count:,} accepted" in done.stdout
    left = 1000 - sink.count
    assert f"ended; {left:,} of 1,000 were not begun" in done.stderr
    assert f"go on with --first-row {sink.count + 1}" in done.stderr


def test_a_second_ctrl_c_drops_what_is_on_its_way_and_says_that_nobody_knows(
    many: Path, sink: Sink, tmp_path: Path
) -> None:
    sink.add_fault(Fault(on=".", nth=3, stall=True))
    receipts = tmp_path / "receipts.csv"
    arguments = [*MERGE, "--mailing", str(many), "--rate", "100/s", "--receipts", str(receipts)]
    with start(sink, *arguments) as process:
        sink.wait_until(lambda: any("n2@b.example" in line for line in sink.commands), 30)
        # What the client has not read yet it cannot know.
        sink.wait_until(lambda: receipts.read_text().count("accepted") == 2, 30)
        output, complaint = interrupt_twice(process)
    assert process.returncode == 130
    assert "2 accepted" in output
    assert "perhaps sent" in output
    assert "Traceback" not in complaint
    with receipts.open(newline="") as file:
        outcomes = [line["outcome"] for line in csv.DictReader(file)]
    assert outcomes[:2] == ["accepted", "accepted"]
    assert set(outcomes[2:]) == {"unknown"}


@pytest.mark.parametrize("as_json", [False, True])
def test_of_one_message_that_is_dropped_on_its_way_it_is_said_that_it_was_perhaps_sent(
    sink: Sink, as_json: bool
) -> None:
    sink.add_fault(Fault(on=".", stall=True))
    with start(sink, *ONE, *["--json"] * as_json) as process:
        sink.wait_until(lambda: any("BDAT" in line for line in sink.commands), 30)
        output, complaint = interrupt_twice(process)
    assert process.returncode == 130
    assert complaint.endswith("smtps: interrupted\n")
    if as_json:
        first, last = map(json.loads, output.splitlines())
        assert first["error"] == "interrupted before the answer came; perhaps sent"
        assert last["totals"]["messages"]["unknown"] == 1
    else:
        assert output == "perhaps sent: interrupted before the answer came\n"


def test_who_is_interrupted_before_there_is_a_session_hears_that_nothing_was_sent(
    sink: Sink,
) -> None:
    sink.add_fault(Fault(on="greeting", stall=True))
    with start(sink, *ONE) as process:
        sink.wait_until(lambda: bool(sink.connections), 30)
        output, complaint = interrupt_twice(process)
    assert (process.returncode, output) == (130, "")
    assert complaint.endswith("smtps: interrupted; nothing was sent\n")


def test_a_message_that_was_taken_in_spite_of_ctrl_c_is_a_success(sink: Sink) -> None:
    sink.add_fault(Fault(on=".", delay=1.0))
    with start(sink, *ONE) as process:
        sink.wait_until(lambda: any("BDAT" in line for line in sink.commands), 30)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "bob@b.example accepted: 250" in output


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [([], "a finished message"), ([*ANN, "--to", "b@b.example"], "the text")],
)
def test_a_person_is_asked_to_type_before_the_relay_is_called_and_can_end_it(
    arguments: list[str], wanted: str, sink: Sink
) -> None:
    master, terminal = pty.openpty()
    try:
        with start(sink, *arguments, stdin=terminal) as process:
            assert process.stderr is not None
            assert f"smtps: type {wanted}" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
    finally:
        os.close(master)
        os.close(terminal)
    assert (process.returncode, complaint) == (130, "smtps: interrupted\n")
    assert not sink.connections


def test_an_address_is_refused_before_a_text_is_asked_for(sink: Sink) -> None:
    with start(sink, *ANN, "--to", "bob", stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert "--to: 'bob' has no domain" in process.stderr.readline()
    assert process.returncode == 65


def test_mail_goes_out_where_standard_output_is_full_and_the_status_tells(
    sink: Sink, tmp_path: Path
) -> None:
    files = []
    for number in range(3):
        file = tmp_path / f"{number}.eml"
        file.write_bytes(b"From: a@a.example\nTo: b@b.example\n\nHi\n")
        files.append(str(file))
    with open("/dev/full", "w") as full, start(sink, *files, stdout=full.fileno()) as process:
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 73
    assert sink.count == 3
    assert "standard output: No space left on device; what was to be sent is sent" in complaint
    assert "3 messages: 3 accepted" in complaint
    assert "Traceback" not in complaint


def test_mail_goes_out_where_the_reader_of_standard_output_has_gone(sink: Sink) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with start(sink, *ONE, stdout=writing) as process:
        os.close(writing)
        _, complaint = process.communicate(timeout=60)
    assert (process.returncode, sink.count) == (73, 1)
    assert "standard output: nobody reads it; what was to be sent is sent all the same" in complaint
