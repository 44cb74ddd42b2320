"""bash, zsh and fish complete the command by the scripts that it prints."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from smtps.cli import main
from tests.support.servers import require


@pytest.fixture
def script(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Path:
    path = tmp_path / "script"
    assert main(["completion", request.param]) == 0
    path.write_text(capsys.readouterr().out)
    return path


class Terminal:
    """A shell at a terminal, to which a person types."""

    def __init__(self, *command: str, folder: Path) -> None:
        self._own, theirs = pty.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "PS1": "$ "},
        )
        os.close(theirs)

    def type(self, text: str, expected: str) -> str:
        """Type, and wait until something is shown."""
        os.write(self._own, text.encode())
        shown = ""
        deadline = time.monotonic() + 60
        while expected not in shown:
            ready, _, _ = select.select([self._own], [], [], deadline - time.monotonic())
            assert ready, f"{expected!r} does not come: {shown!r}"
            shown += os.read(self._own, 4096).decode(errors="replace")
        return shown

    def close(self) -> None:
        self._process.kill()
        self._process.wait(60)
        os.close(self._own)


CASES = [
    ("smtps prob\t", "probe "),
    ("smtps sink --tls im\t", "implicit "),
    ("smtps send --subj\t", "--subject "),
    ("smtps completion fi\t", "fish "),
    ("smtps send --attach one\t", r"one\ file.pdf"),
]


def complete(terminal: Terminal) -> None:
    for typed, expected in CASES:
        terminal.type(typed, expected)
        # Ctrl-U takes the line away.
        terminal.type("\x15echo done\n", "done\r\n")


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash(script: Path, tmp_path: Path) -> None:
    (tmp_path / "one file.pdf").touch()
    terminal = Terminal(require("bash", "bash"), "--norc", "-i", folder=tmp_path)
    terminal.type(f"source {script}; echo re''ady\n", "ready\r\n")
    complete(terminal)
    terminal.close()


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh(script: Path, tmp_path: Path) -> None:
    (tmp_path / "one file.pdf").touch()
    terminal = Terminal(require("zsh", "zsh"), "-f", "-i", folder=tmp_path)
    terminal.type(
        f"autoload -Uz compinit; compinit -u -D; source {script}; echo re''ady\n", "ready\r\n"
    )
    complete(terminal)
    terminal.close()


@pytest.mark.parametrize("script", ["fish"], indirect=True)
def test_fish(script: Path, tmp_path: Path) -> None:
    (tmp_path / "one file.pdf").touch()
    asked = "".join(f"; complete -C '{typed.strip()}'" for typed, _ in CASES)
    done = subprocess.run(
        [require("fish", "fish"), "--no-config", "-c", f"source {script}{asked}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert found == ["probe", "implicit", "--subject", "fish", "one file.pdf"]


def test_an_unknown_shell_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 64
    assert "choose from bash, zsh, fish" in capsys.readouterr().err
