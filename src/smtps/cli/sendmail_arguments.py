"""The arguments that `sendmail` has had since 1983, read as its callers write them.

No other argument is taken here: who can smuggle one in, as by the fifth of PHP's `mail()`, must not
get at another relay, a file or a command by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .exits import USAGE, Failure
from .terminal import plain

__all__ = ["Wish", "read_arguments"]

_FLAGS = frozenset("itvnmUG")
_WITH_VALUE = frozenset("fFrBNRVhpoLAb")
# These write files, read others, or change what protects the one who runs this.
_REFUSED = {
    "C": "another configuration is named by SMTPS_CONFIG",
    "D": "there is no log to write",
    "O": "there are no options of sendmail",
    "Q": "a queue is named by outbox in the configuration",
    "X": "there is no log to write",
    "M": "macros are not known",
    "d": "there is no debugging",
}
# What each letter behind -o does not change: error modes, delivery modes, and old habits.
_QUIET_OPTIONS = frozenset(["m", "o", "s", "em", "ee", "ep", "eq", "ew", "db", "di", "dq", "dd"])
_MODES = {
    "m": "deliver",
    "p": "list",
    "i": "nothing",
}


@dataclass(slots=True)
class Wish:
    """What a caller wants."""

    #: "deliver", "list" the queue, "run" it, or "nothing".
    mode: str = "deliver"
    recipients: list[str] = field(default_factory=list)
    #: The envelope's sender; None: the message says it.
    sender: str | None = None
    full_name: str = ""
    #: Whether the headers name recipients too.
    reads_headers: bool = False
    #: Whether a line with nothing but a dot ends the message.
    dot_ends: bool = True
    #: Whether to show the conversation.
    verbose: bool = False
    notify: str | None = None
    ret: str | None = None
    envid: str | None = None


def read_arguments(arguments: Sequence[str]) -> Wish:
    """Read the arguments.

    Raises:
        Failure: one is not known, or asks for what is not to be had.
    """
    wish = Wish()
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            wish.recipients.append(word)
            break
        _take(wish, word, words)
    wish.recipients += words
    return wish


def _take(wish: Wish, word: str, words: Iterator[str]) -> None:
    """Take one word of options: flags in a row, and at its end perhaps one with a value."""
    for place, letter in enumerate(word[1:], 1):
        if letter in _FLAGS:
            _set_flag(wish, letter)
            continue
        rest = word[place + 1 :]
        if letter == "q":
            # An interval behind it is for daemons.
            wish.mode = "run"
        elif letter == "I":
            wish.mode = "nothing"
        elif letter in _WITH_VALUE:
            value = rest or next(words, None)
            if value is None:
                raise Failure(f"-{letter}: expected a value; see smtps sendmail --help", USAGE)
            _set_value(wish, letter, value)
        elif letter in _REFUSED:
            raise Failure(f"-{letter}: not taken; {_REFUSED[letter]}", USAGE)
        else:
            raise Failure(f"{plain(word)}: unknown; see smtps sendmail --help", USAGE)
        return


def _set_flag(wish: Wish, letter: str) -> None:
    if letter == "t":
        wish.reads_headers = True
    elif letter == "i":
        wish.dot_ends = False
    elif letter == "v":
        wish.verbose = True


def _set_value(wish: Wish, letter: str, value: str) -> None:
    if letter in "fr":
        wish.sender = "" if value == "<>" else value
    elif letter == "F":
        wish.full_name = value
    elif letter == "N":
        wish.notify = value
    elif letter == "R":
        wish.ret = value.upper()
    elif letter == "V":
        wish.envid = value
    elif letter == "o":
        if value == "i":
            wish.dot_ends = False
        elif value not in _QUIET_OPTIONS:
            raise Failure(f"-o{plain(value)}: not taken; -oi, -oe and -od are", USAGE)
    elif letter == "b":
        if value not in _MODES:
            way = "; send with SMTP to the relay itself" if value == "s" else ""
            raise Failure(f"-b{plain(value)}: not to be had; -bm, -bp and -bi are{way}", USAGE)
        wish.mode = _MODES[value]
