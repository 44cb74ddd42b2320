"""Parsers that complain in one line, and what several commands have in common."""

from __future__ import annotations

import argparse
import difflib
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ..errors import BadValue
from ..throttle import parse_rate
from .exits import USAGE, Failure

__all__ = [
    "Parser",
    "add_command",
    "add_connections",
    "add_envelope",
    "checked_rate",
    "number",
    "relay_options",
    "seconds",
]

_WIDTH = 78


class _Formatter(argparse.HelpFormatter):
    """Leave what examples look like as it is, and give names the room that they need."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)
        # argparse forgets that the names of commands are indented more than those of options.
        self._action_max_length = 16

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Break paragraphs, but for those with lines that are indented, such as examples."""
        parts = [
            part if "\n " in part else textwrap.fill(part, min(width, _WIDTH) - len(indent))
            for part in text.strip("\n").split("\n\n")
        ]
        return textwrap.indent("\n\n".join(parts), indent)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line with the way out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=_Formatter,
            **options,
        )
        self._positionals.title = "arguments"

    def error(self, message: str) -> NoReturn:
        """Complain.

        Raises:
            Failure: always.
        """
        message = message.removeprefix("argument ")
        raise Failure(f"{message}; see {self.prog} --help", USAGE)

    def parse_all(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Parse, and suggest the right spelling of what is unknown.

        Raises:
            Failure: the arguments make no sense.
        """
        self._refuse_unknown(sys.argv[1:] if arguments is None else arguments)
        chosen, unknown = self.parse_known_args(arguments)
        if unknown:
            parser: Parser = getattr(chosen, "parser", self)
            parser._refuse(unknown[0])
        return chosen

    def _refuse_unknown(self, words: Sequence[str]) -> None:
        """Refuse an option that is not known, before argparse asks for what is missing."""
        parser = self
        commands = self._subparsers._group_actions[0].choices if self._subparsers else None
        for word in words:
            if word == "--":
                return
            if isinstance(commands, dict) and word in commands:
                parser, commands = commands[word], None
            elif _is_option(word) and word.partition("=")[0] not in parser._option_string_actions:
                parser._refuse(word)

    def _refuse(self, word: str) -> NoReturn:
        if not word.startswith("-"):
            self.error(f"{word}: unexpected argument")
        name = word.partition("=")[0]
        close = difflib.get_close_matches(name, self._option_string_actions, n=1, cutoff=0.5)
        self.error(f"{name}: unknown option" + (f", did you mean {close[0]}?" if close else ""))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        close = difflib.get_close_matches(str(value), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(known)}"
        raise argparse.ArgumentError(action, f"{value!r} is unknown; {hint}")


def _is_option(word: str) -> bool:
    """Tell whether argparse takes a word for an option: not "-", a number, or one with spaces."""
    return word.startswith("-") and word != "-" and not word[1].isdigit() and " " not in word


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    about: str,
    words: str = "",
    examples: str,
    notes: str = "",
    relay: bool = False,
) -> argparse.ArgumentParser:
    """Add a subcommand: its help begins with what it is for and ends with examples and notes.

    Args:
        words: what stands on its command line beside options.
        relay: whether it can be told which relay to use.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        usage=f"smtps {name} [OPTION ...] {words}".rstrip(),
        help=about,
        description=f"{about[:1].upper()}{about[1:]}.",
        epilog="\n".join(["examples:", *(f"  {line}" for line in examples.strip().splitlines())])
        + f"\n\n{notes.strip()}",
        parents=[relay_options()] if relay else [],
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


def relay_options() -> argparse.ArgumentParser:
    """Give the arguments that say which relay to use, as a parent of other parsers."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group(
        "the relay", "What these leave open SMTPS_URL and SMTPS_* say, then a file: smtps config."
    )
    group.add_argument("--url", help="where to send: smtp://user@host:587, without a password")
    group.add_argument("--user", help="who logs in, if the URL does not say it")
    group.add_argument("--password-command", metavar="COMMAND", help="its output is the password")
    group.add_argument("--password-file", metavar="FILE", help="its first line is the password")
    group.add_argument(
        "--set", action="append", metavar="NAME=VALUE", help="any other option: smtps config --show"
    )
    group.add_argument("--config", metavar="FILE", help="a TOML file in place of the usual one")
    return parser


def seconds(text: str) -> float:
    """Read a time that is less than a day."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, less than a day")
    return value


def number(low: int, high: int) -> Callable[[str], int]:
    """Make what reads a whole number of a range."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no whole number from {low:,} to {high:,}"
            )
        return value

    return read


def add_connections(parser: Any) -> None:
    """Add `--connections`, where several may be of use."""
    parser.add_argument(
        "--connections",
        type=number(1, 1000),
        default=1,
        metavar="N",
        help="to the relay, at most (1)",
    )


def add_envelope(parser: argparse.ArgumentParser) -> None:
    """Add what changes the envelope of finished messages."""
    add = parser.add_argument
    add("--sender", metavar="ADDRESS", help="who a finished message is from, for the relay")
    add(
        "--recipient",
        action="append",
        metavar="ADDRESS",
        help="who gets it, in place of To, Cc and Bcc; repeat it",
    )


def checked_rate(text: str) -> str:
    """Accept what `Pool` takes as a rate."""
    try:
        parse_rate(text)
    except BadValue as error:
        raise argparse.ArgumentTypeError(error.reason) from error
    return text
