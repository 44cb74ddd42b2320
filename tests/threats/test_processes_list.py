"""The list of processes, which everyone on the host can read, shows no secret."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smtps.testing import Fault, Sink
from tests.support.concealed import SECRET, shown

#: How the program is told the password: arguments, environment, and a configuration file.
WAYS: dict[str, tuple[list[str], dict[str, str], str]] = {
    "password file": (["--password-file", "{folder}/secret"], {}, ""),
    "password command": (["--password-command", "cat {folder}/secret"], {}, ""),
    "environment": ([], {"SMTPS_PASSWORD": SECRET}, ""),
    "configuration": ([], {}, f'password = "{SECRET}"\n'),
    "url in the environment": ([], {"SMTPS_URL": "smtp://joe:{secret}@{place}?{query}"}, ""),
}
PROGRAMS = {
    "send": ["send", "--from", "a@b.example", "--to", "c@d.example", "--subject", "x"],
    "sendmail": ["sendmail", "-f", "a@b.example", "c@d.example"],
}


def commands_of(process: int) -> str:
    """What `ps` shows of a process and of all that it began."""
    lines = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and process in ancestors(int(entry.name)):
                lines.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # It has ended.
    return "\n".join(lines)


def ancestors(process: int) -> list[int]:
    found = [process]
    while found[-1] > 1:
        status = Path(f"/proc/{found[-1]}/stat").read_text()
        found.append(int(status.rpartition(")")[2].split()[1]))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="the processes are read from /proc")
@pytest.mark.parametrize(
    ("program", "way"),
    # `sendmail` has the arguments of sendmail, and none for a password.
    [
        (program, way)
        for way in WAYS
        for program in PROGRAMS
        if program == "send" or not WAYS[way][0]
    ],
)
def test_no_process_shows_a_secret_while_it_logs_in(program: str, way: str, tmp_path: Path) -> None:
    arguments, environment, lines = WAYS[way]
    released = threading.Event()
    with Sink(
        tls="starttls",
        users={"joe": SECRET},
        mechanisms=["PLAIN"],
        faults=[Fault(on="AUTH", until=released)],
    ) as sink:
        place, query = f"{sink.host}:{sink.port}", f"openssl_ca_file={sink.ca_file}"
        words = {"folder": tmp_path, "secret": SECRET, "place": place, "query": query}
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "secret").chmod(0o600)
        config = tmp_path / "config.toml"
        config.write_text(f'url = "smtp://joe@{place}?{query}"\n' + lines)
        config.chmod(0o600)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "smtps.cli", PROGRAMS[program][0]),
                *(one.format_map(words) for one in arguments),
                *PROGRAMS[program][1:],
            ],
            env=os.environ
            | {"SMTPS_CONFIG": str(config)}
            | {name: one.format_map(words) for name, one in environment.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write("Subject: x\n\nx\n")
        process.stdin.close()
        process.stdin = None
        try:
            sink.wait_until(lambda: any(one.startswith("AUTH") for one in sink.commands))
            seen = commands_of(process.pid)
        finally:
            released.set()
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert "smtps" in seen
    assert shown(f"{seen}\n{said}") == []


@pytest.mark.skipif(sys.platform != "linux", reason="the processes are read from /proc")
def test_a_command_for_the_password_is_shown_without_what_it_prints(tmp_path: Path) -> None:
    # The command tells that it runs, and waits until it was looked at.
    (tmp_path / "secret").write_text(SECRET)
    for name in ("begun", "go"):
        os.mkfifo(tmp_path / name)
    command = f"echo >{tmp_path}/begun; cat {tmp_path}/go; cat {tmp_path}/secret"
    with Sink(tls="starttls", users={"joe": SECRET}) as sink:
        url = f"smtp://joe@{sink.host}:{sink.port}?openssl_ca_file={sink.ca_file}"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "smtps.cli", *PROGRAMS["send"], "--text", "x"),
                *("--url", url, "--password-command", command),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        (tmp_path / "begun").read_text()
        seen = commands_of(process.pid)
        (tmp_path / "go").write_text("")
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert "cat" in seen
    assert shown(f"{seen}\n{said}") == []
