"""The programs that call sendmail deliver through it and a real Postfix: git, PHP and cron."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from smtps import codec
from tests.support.postfix import Postfix
from tests.support.servers import fresh_address, require

# They call a program, and which one does the work inside is tested elsewhere.
pytestmark = pytest.mark.skipif(codec.implementation == "pure", reason="once is enough")


@pytest.fixture
def configuration(postfix: Postfix, tmp_path: Path) -> Path:
    path = tmp_path / "smtps.toml"
    path.write_text(f'url = "{postfix.url}"\ndomain = "h.example"\n')
    return path


@pytest.fixture
def environment(configuration: Path, tmp_path: Path) -> dict[str, str]:
    """A home of its own, and `smtps` on the path."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": programs, "HOME": str(tmp_path), "SMTPS_CONFIG": str(configuration)}


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_git_send_email(postfix: Postfix, environment: dict[str, str], tmp_path: Path) -> None:
    git, reader = require("git", "git git-email libmailtools-perl"), fresh_address()
    (tmp_path / ".gitconfig").write_text("[user]\nname = Änn\nemail = ann@a.example\n")
    run([git, "init", "-q"], environment, tmp_path)
    (tmp_path / "file").write_text("one\n")
    run([git, "add", "file"], environment, tmp_path)
    run([git, "commit", "-qm", "Fix the thing\n\n.\nA dot above."], environment, tmp_path)
    patch = run([git, "format-patch", "-1"], environment, tmp_path).strip()
    run(
        [
            *[git, "send-email", "--confirm=never", f"--to={reader}", "--from=ann@a.example"],
            *["--sendmail-cmd=smtps sendmail", patch],
        ],
        environment,
        tmp_path,
    )
    arrived = postfix.received(reader)
    message = message_from_bytes(arrived.content)
    assert arrived.sender == "ann@a.example"
    assert message["Subject"] == "[PATCH] Fix the thing"
    assert b"\r\n.\r\nA dot above.\r\n" in arrived.content
    assert b"\r\n+one\r\n" in arrived.content


def test_php_mail(postfix: Postfix, environment: dict[str, str], tmp_path: Path) -> None:
    php, reader = require("php", "php-cli"), fresh_address()
    text = r'"one\n.\ntwo"'
    arguments = f"'{reader}', 'Héllo', {text}, 'From: ann@a.example', '-fenv@a.example'"
    script = f"exit(mail({arguments}) ? 0 : 1);"
    command = [php, "-d", "sendmail_path=smtps sendmail -t -i", "-r", script]
    run(command, environment, tmp_path)
    arrived = postfix.received(reader)
    assert arrived.sender == "env@a.example"
    assert message_from_bytes(arrived.content)["From"] == "ann@a.example"
    assert arrived.content.endswith(b"\r\n\r\none\r\n.\r\ntwo\r\n")


def test_a_cron_job(postfix: Postfix, configuration: Path, tmp_path: Path) -> None:
    """Debian's cron, which sees our command as /usr/sbin/sendmail and crontabs of its own.

    `proot` shows it those without the privilege of mounting, which containers do not have.
    """
    cron, reader = require("cron", "cron"), fresh_address()
    command = tmp_path / "sendmail"
    program = f"{shlex.quote(sys.executable)} -m smtps.cli sendmail"
    command.write_text(f'#!/bin/sh\nSMTPS_CONFIG={configuration} exec {program} "$@"\n')
    command.chmod(0o755)
    crontabs = tmp_path / "crontabs"
    for folder in ("crontabs", "run", "cron.d"):
        (tmp_path / folder).mkdir()
    (tmp_path / "crontab").touch()
    crontab = crontabs / "root"
    crontab.write_text(f"MAILTO={reader}\n@reboot echo one; echo .; echo two\n")
    crontab.chmod(0o600)
    seen = {
        command: "/usr/sbin/sendmail",
        crontabs: "/var/spool/cron/crontabs",
        tmp_path / "run": "/run",
        tmp_path / "cron.d": "/etc/cron.d",
        tmp_path / "crontab": "/etc/crontab",
    }
    bindings = [word for own, theirs in seen.items() for word in ("-b", f"{own}:{theirs}")]
    with subprocess.Popen(
        [require("proot", "proot"), *bindings, cron, "-f"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        try:
            arrived = postfix.received(reader)
        finally:
            os.killpg(running.pid, signal.SIGTERM)
    message = message_from_bytes(arrived.content)
    assert arrived.sender == "root@h.example"
    assert message["Subject"].endswith("echo one; echo .; echo two")
    assert message["Message-ID"]
    assert message.get_payload() == "one\r\n.\r\ntwo\r\n"
