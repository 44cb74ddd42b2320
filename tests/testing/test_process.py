"""A sink in a process of its own serves until its standard input ends, and sums up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.raw import RawClient, submit


@contextmanager
def process(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "smtps.testing", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline()), running


def test_it_says_where_it_is_and_at_the_end_what_it_took() -> None:
    with process("--tls", "starttls", "--discard") as (about, running):
        assert about["url"].startswith(f"smtp://127.0.0.1:{about['port']}?openssl_ca_file=")
        with RawClient(about["host"], about["port"]) as client:
            client.reply()
            client.ask("EHLO client.example")
            client.ask("STARTTLS")
            client.start_tls(about["ca_file"])
            client.ask("EHLO client.example")
            submit(client, b"x\r\n")
        output, _ = running.communicate(timeout=60)
        assert json.loads(output)["count"] == 1
        assert running.returncode == 0


def test_users_and_extensions_can_be_chosen() -> None:
    chosen = ("--tls", "implicit", "--user", "me:pw", "--without", "chunking")
    with process(*chosen) as (about, _):
        assert about["url"].startswith("smtps://me:pw@")
        with RawClient(about["host"], about["port"]) as client:
            client.start_tls(about["ca_file"])
            client.reply()
            answer = client.ask("EHLO client.example")
            assert "AUTH" in answer
            assert "CHUNKING" not in answer


def test_a_user_without_a_password_is_a_usage_error(capfd: pytest.CaptureFixture[str]) -> None:
    from smtps.testing.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(["--user", "me"])
    assert "NAME:PASSWORD" in capfd.readouterr().err


def test_ctrl_c_ends_it_from_its_first_word_on_and_it_still_sums_up() -> None:
    with process() as (_, running):
        running.send_signal(signal.SIGINT)
        assert running.stdin is not None
        output = running.stdout.read() if running.stdout else ""
        assert json.loads(output)["count"] == 0
        assert running.wait(60) == 0
