"""Passwords that stand in no argument: the output of a command, or the first line of a file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

from .exits import CONFIG, NOINPUT, Failure
from .sources import Given
from .terminal import complain

__all__ = ["password_from_command", "password_from_file"]

# A person may have to unlock a key ring meanwhile; a hanging command must end all the same.
_SECONDS = 120


def password_from_command(given: Given) -> str:
    """Run the command, by the shell if it is text, and give the first line of what it prints.

    What it prints on standard error goes where ours does.

    Raises:
        Failure: it failed, or printed nothing.
    """
    command: Any = given.value
    is_text = isinstance(command, str)
    is_list = isinstance(command, list) and all(isinstance(word, str) for word in command)
    if not command or not (is_text or is_list):
        raise given.refusal("expected a command: text for the shell, or a list of words")
    try:
        done = subprocess.run(
            command,
            shell=is_text,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise _failure(given, f"cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise _failure(given, f"did not end in {_SECONDS} s") from error
    if done.returncode:
        raise _failure(given, f"failed with status {done.returncode}")
    return _first_line(given, done.stdout, "printed")


def password_from_file(given: Given) -> str:
    """Give the first line of the file, and warn if everyone can read it.

    Raises:
        Failure: it cannot be read, or is empty.
    """
    path = Path(str(given.value)).expanduser()
    try:
        data = path.read_bytes()
        if path.stat().st_mode & stat.S_IROTH:
            complain(f"warning: everyone can read the password in {path}; chmod 600 {path}")
    except OSError as error:
        raise _failure(given, f"cannot be read: {error.strerror}", NOINPUT) from error
    return _first_line(given, data, "holds")


def _failure(given: Given, reason: str, status: int = CONFIG) -> Failure:
    """Say why there is no password; the argument itself, if it is one, is not what is wrong."""
    failure = given.refusal(reason)
    failure.status = status
    return failure


def _first_line(given: Given, data: bytes, verb: str) -> str:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        password = line.decode()
    except UnicodeDecodeError:
        raise _failure(given, f"{verb} a first line that is not UTF-8") from None
    if not password:
        raise _failure(given, f"{verb} no password on its first line")
    return password
