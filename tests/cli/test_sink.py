"""`smtps sink` shows, saves and counts what arrives, and misbehaves as told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import smtps
from smtps import Envelope
from smtps.cli import main
from smtps.testing import Sink

CONTENT = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\x1b[2J\r\n\r\nHi\r\n"
ITEM = (Envelope("ann@a.example", ["bob@b.example", "eve@b.example"]), CONTENT)


@contextmanager
def running(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "smtps.cli", "sink", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.terminate()


def test_each_message_is_told_and_ctrl_c_ends_with_the_counts() -> None:
    with running("--tls", "starttls") as (url, process):
        smtps.send(ITEM, url)
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["sender"] == "ann@a.example"
        assert facts["recipients"] == ["bob@b.example", "eve@b.example"]
        assert facts["size"] == len(CONTENT)
        assert facts["subject"].startswith("Grüße")
        assert facts["tls"] is True
        process.send_signal(signal.SIGINT)
        totals = json.loads(process.stdout.readline())["totals"]
        assert (totals["messages"], totals["recipients"], totals["connections"]) == (1, 2, 1)
        assert process.wait(60) == 0


def test_it_ends_after_so_many_messages_and_saves_them(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    with running("--count", "1", "--save", str(folder)) as (url, process):
        smtps.send(ITEM, url)
        assert process.wait(60) == 0
    (saved,) = (folder / "new").iterdir()
    assert saved.read_bytes() == (
        b"Return-Path: <ann@a.example>\r\nDelivered-To: bob@b.example\r\n"
        b"Delivered-To: eve@b.example\r\n" + CONTENT
    )
    assert not any((folder / "tmp").iterdir())


def test_a_message_that_cannot_be_saved_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    with running("--save", str(folder)) as (url, _):
        (folder / "tmp").rmdir()
        with pytest.raises(smtps.DeliveryUnknown):
            smtps.send(ITEM, url)


def test_faults_and_missing_extensions_are_as_told() -> None:
    fault = "on=RCPT,when=bob@,reply=550 5.1.1 no, not him"
    with running("--fault", fault, "--without", "chunking") as (url, _):
        with smtps.SMTPS.from_url(url) as smtp:
            smtp.connect()
            assert not smtp.capabilities.chunking
            receipt = smtp.send(ITEM)
        assert receipt.accepted == ("eve@b.example",)
        assert str(receipt.results[0].reply) == "550 5.1.1 no, not him"


def test_text_has_a_line_for_each_message_without_control_characters() -> None:
    command = [sys.executable, "-m", "smtps.cli", "sink", "--port", "0", "--count", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on 127.0.0.1 port ")
        url = process.stdout.readline().split("'")[1]
        smtps.send(ITEM, url)
        shown, _ = process.communicate(timeout=60)
    line, _, counts = shown.splitlines()
    assert f"{len(CONTENT)} B <ann@a.example> to bob@b.example and 1 more: Grüße" in line
    assert "\x1b" not in shown
    assert counts == f"1 message, 2 recipients, {len(CONTENT)} bytes over 1 connection"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "onn=x"], "--fault: 'onn=x': did you mean on?"),
        (["--fault", "x"], "write on=RCPT"),
        (["--fault", "on=RCTP,drop"], "on=RCTP: did you mean RCPT?"),
        (["--fault", "on=RCPT,nth=z"], "nth=z is no number"),
        (["--fault", "reply=550 no"], "exactly one of on="),
        (["--fault", "on=RCPT,drp"], "'on=RCPT,drp': did you mean drop?"),
        (["--fault", "on=RCPT,drop,dely=3"], "did you mean delay?"),
        (["--fault", "on=RCPT,nth=2"], "says when, but not what goes wrong; add one of reply,"),
        (["--without", "CHUNK"], "--without: 'CHUNK' is unknown; choose from PIPELINING"),
        (["--fault", "on=RCPT,drop,stall"], "ends in one way only"),
        (["--port", "99999"], "--port: '99999' is no whole number from 0 to 65,535"),
        (["--tls", "startls"], "--tls: 'startls' is unknown; did you mean starttls?"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sink", *arguments]) == 64
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1


def test_a_port_that_is_taken_is_69(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink() as other:
        assert main(["sink", "--port", str(other.port)]) == 69
    assert "Address already in use; --port 0 takes any that is free" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_73(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert main(["sink", "--save", str(tmp_path / "file")]) == 73
