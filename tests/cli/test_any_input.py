"""Whatever somebody types, writes or pipes in, it is used or refused in one line."""

from __future__ import annotations

import argparse
import os
import string
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from smtps.cli.configuration import Configuration
from smtps.cli.exits import Failure
from smtps.cli.fault import read_fault
from smtps.cli.finished import Finished, qualified
from smtps.cli.sendmail_arguments import read_arguments
from smtps.cli.sources import OWN_NAMES, Given, options
from smtps.errors import SMTPSError
from smtps.testing import Sink

NAMES = [*OWN_NAMES, *options()]
VALUES = (
    some.text()
    | some.integers()
    | some.floats()
    | some.booleans()
    | some.lists(some.text(max_size=3), max_size=2)
    | some.none()
    | some.sampled_from(["smtp://u:p@h:1?timeout=x", "smtps://[::1", "lmtp:///x", "socks5://h:x"])
)


def is_used_or_refused(use: Callable[[], object]) -> bool:
    try:
        use()
    except Failure as failure:
        return "\n" not in str(failure) and 64 <= failure.status <= 78
    except argparse.ArgumentTypeError as error:
        return bool(str(error))
    return True


@settings(max_examples=300)
@given(some.lists(some.tuples(some.sampled_from(NAMES), VALUES), max_size=4))
@example([("url", 7)])
def test_any_values_make_a_configuration_or_one_line(pairs: list[tuple[str, Any]]) -> None:
    layer = [Given(name, value, "/file.toml") for name, value in pairs]
    assert is_used_or_refused(lambda: Configuration(layer))


@given(some.dictionaries(some.text(string.ascii_uppercase + "_", min_size=1), some.text()))
def test_any_environment_makes_a_configuration_or_one_line(variables: dict[str, str]) -> None:
    environment = {f"SMTPS_{name}": value for name, value in variables.items() if name != "CONFIG"}
    environment["XDG_CONFIG_HOME"] = "/no/such"
    assert is_used_or_refused(lambda: Configuration.load(argparse.Namespace(), environment))


@given(some.lists(some.text("-abcdefioqtvBCFNOQRVX./@ \n\x1b<>", max_size=6), max_size=5))
def test_any_arguments_of_sendmail_are_read_or_one_line(words: list[str]) -> None:
    assert is_used_or_refused(lambda: read_arguments(words))


@settings(max_examples=300)
@given(some.binary() | some.text("Bcc:To@, <>\r\n\t a.").map(str.encode))
def test_any_bytes_are_a_message_that_shows_no_bcc(data: bytes) -> None:
    message = Finished(data)
    try:
        message.envelope(None, None)
    except SMTPSError:
        pass
    again = Finished(message.content())
    assert not list(again.values("bcc"))
    assert again.content() == message.content()


@given(some.text())
def test_any_text_is_qualified_or_left_alone(text: str) -> None:
    assert len(qualified(text, "h.example")) >= len(text)


@given(some.text("onthdrelay=RCP,.0 ") | some.text())
def test_any_fault_is_read_or_refused(text: str) -> None:
    assert is_used_or_refused(lambda: read_fault(text))


def run(*words: str, environment: dict[str, str] | None = None, **options: Any) -> Any:
    command = [sys.executable, "-m", "smtps.cli", *words]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=60, check=False, **options
    )


@pytest.mark.parametrize("words", [["send", "--dry-run"], ["sendmail", "-t"]], ids=str)
def test_a_closed_standard_input_is_one_line(words: list[str]) -> None:
    done = run(*words, preexec_fn=lambda: os.close(0), stdin=None)
    assert done.returncode == 66
    assert done.stderr == "smtps: standard input: it is closed; name a file\n"


def test_what_the_terminal_cannot_show_ends_nothing() -> None:
    with Sink() as sink:
        words = ["send", "--from", "a@b.example", "--to", "c@d.example", "--text", "x", "--dry-run"]
        done = run(*words, "--header", "X: Zoë", environment={"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0
        words = ["send", "--url", sink.url, "nö.eml"]
        done = run(*words, environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 66
    assert done.stderr == r"smtps: n\xf6.eml: cannot be read: No such file or directory" + "\n"


def test_arguments_that_are_no_text_are_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smtps.cli", "send", "--from", b"\xff@b.example", "--to", "c@d.e"],
        input=b"x",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 65
    assert done.stderr.startswith(b"smtps: --from: ")
    assert done.stderr.count(b"\n") == 1
