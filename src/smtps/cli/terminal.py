"""What the command says: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any

from .exits import CANTCREAT, Failure

__all__ = [
    "as_json",
    "complain",
    "counted",
    "hush",
    "leave_line",
    "plain",
    "say",
    "say_json",
    "table",
]


def say(text: str = "") -> None:
    """Print a line of the result.

    Raises:
        BrokenPipeError: who reads it has gone.
        Failure: it cannot be written for another reason.
    """
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        hush()
        raise
    except OSError as error:
        hush()
        raise Failure(f"standard output: {error.strerror}", CANTCREAT) from error


def hush() -> None:
    """Throw away what is still to be written to standard output; Python would try at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def as_json(facts: Any) -> str:
    """Give a result as one line of JSON."""
    return json.dumps(facts, default=str)


def say_json(facts: Any) -> None:
    """Print a result as one line of JSON."""
    say(as_json(facts))


def complain(text: str) -> None:
    """Print a line for the person at the terminal, or for the log of whoever called."""
    # Where nobody can be told, the work goes on and the exit status tells.
    with suppress(OSError):
        print(f"smtps: {plain(text)}", file=sys.stderr, flush=True)  # noqa: T201


def leave_line() -> None:
    """Go on below the `^C` that a terminal shows, if there is one."""
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):
            sys.stderr.write("\n")
            sys.stderr.flush()


def plain(text: str) -> str:
    """Show control characters, which a server could send, instead of obeying them."""
    return "".join(
        character if character.isprintable() else _visible(character) for character in text
    )


def _visible(character: str) -> str:
    # Half of a surrogate pair, from a byte that is no UTF-8, cannot be printed either.
    return character.encode("unicode_escape").decode()


def counted(number: int, noun: str) -> str:
    """Give a number with its noun, in the plural where it is one."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def table(rows: list[tuple[str, ...]], *, indent: str = "  ") -> list[str]:
    """Align cells in columns, the last of which is as long as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
