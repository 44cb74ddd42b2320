"""What the command says: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["complain", "counted", "plain", "say", "say_json", "table"]


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(text, flush=True)  # noqa: T201


def say_json(facts: Any) -> None:
    """Print a result as one line of JSON."""
    say(json.dumps(facts, default=str))


def complain(text: str) -> None:
    """Print a line for the person at the terminal, or for the log of whoever called."""
    print(f"smtps: {plain(text)}", file=sys.stderr, flush=True)  # noqa: T201


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
