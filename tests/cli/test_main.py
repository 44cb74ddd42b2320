"""The command as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from smtps import __version__
from smtps.cli import main
from smtps.codec import level


def test_the_version_names_what_the_hot_functions_are_made_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"smtps {__version__} (")
    assert (level if level != "pure" else "pure Python") in shown


def test_the_demo_sends_every_message_and_shows_the_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--count", "300"]) == 0
    shown = capsys.readouterr().out
    assert "300 of 300" in shown
    assert "latency, median" in shown


def test_ctrl_c_ends_the_demo_and_its_server_without_a_traceback() -> None:
    command = [sys.executable, "-m", "smtps.cli", "demo", "--count", "10000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (server := children.read_text().split()):
            assert process.poll() is None
        # As a terminal does, to everyone in the foreground.
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.splitlines()[-1] == "smtps: interrupted"
    assert "Traceback" not in complaint
    # It ends with its standard input, if the demo had not even begun to wait for it.
    while is_running(server[0]):
        pass


def is_running(process: str) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_who_reads_only_the_first_lines_gets_no_traceback() -> None:
    command = f"{sys.executable} -m smtps.cli config --show | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""


def test_a_bug_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(_: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("smtps.cli.config.Configuration.load", break_down)
    assert main(["config"]) == 70
    assert capsys.readouterr().err.startswith("smtps: RuntimeError: broken; this is a bug")


@pytest.mark.parametrize(
    "command",
    [
        *("send", "sendmail", "queue", "run", "status", "probe", "sink", "bench", "config"),
        *("demo", "completion"),
    ],
)
def test_every_command_has_help_with_examples_within_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as leaving:
        main([command, "--help"])
    assert leaving.value.code == 0
    shown = capsys.readouterr().out
    assert "\nexamples:\n  " in shown
    assert f"smtps {command}" in shown.partition("\nexamples:\n")[2]
    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--hlep"], "--hlep: unknown option, did you mean --help?; see smtps --help"),
        (["-x"], "-x: unknown option"),
        (["queue", "--recipent", "x"], "--recipent: unknown option, did you mean --recipient?"),
        (["queue"], "the following arguments are required: FOLDER"),
        (["completion"], "the following arguments are required: SHELL"),
    ],
)
def test_an_unknown_option_is_named_before_what_is_missing(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 64
    assert capsys.readouterr().err.startswith(f"smtps: {complaint}")


def test_help_breaks_between_words_where_the_terminal_is_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    text, _, rest = capsys.readouterr().out.partition("\nexamples:\n")
    examples, _, notes = rest.partition("\n\n")
    assert max(map(len, [*text.splitlines(), *notes.splitlines()])) <= 60
    assert max(map(len, examples.splitlines())) > 58


def test_output_that_cannot_be_written_is_no_bug() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smtps.cli", "config", "--show"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (
        73,
        "smtps: standard output: No space left on device\n",
    )
