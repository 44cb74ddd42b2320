"""The `smtps` command and its subcommands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from .. import codec
from ..errors import BadValue, SMTPSError
from .exits import CONFIG, INTERRUPTED, IOERR, SOFTWARE, USAGE, Failure, status_of
from .parsing import Parser
from .terminal import complain, hush, leave_line, say

__all__ = ["main", "make_parser"]

_EPILOG = """
exit status, as sysexits.h has it:
   0  accepted for everyone            69  refused for another reason
  64  wrong arguments                  70  an error of this program
  65  wrong message or address         73  a file cannot be written
  66  no such file                     74  answer lost: perhaps sent
  67  recipient refused                75  not now: try again later
  68  no such host                     76  protocol or TLS failed
  78  wrong configuration              77  login refused
 130  ended by Ctrl-C

smtps COMMAND --help tells more, with examples.
"""
# The module of each command; only that of the one that runs is loaded.
_MODULES = {
    "send": "send",
    "sendmail": "sendmail",
    "queue": "outbox",
    "run": "run",
    "status": "outbox",
    "probe": "probe",
    "sink": "sink",
    "config": "config",
    "bench": "bench",
    "demo": "demo",
    "completion": "completion",
}


class _Version(argparse.Action):
    """Print the version, which takes a while to find out, only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print it and end."""
        say(_version())
        parser.exit()


def make_parser(commands: Iterable[str] = _MODULES) -> Parser:
    """Make the parser of the whole command line, or of some commands."""
    parser = Parser(
        prog="smtps",
        usage="smtps COMMAND [OPTION ...]",
        description="Send mail over SMTP, and look at who takes it.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    chosen = parser.add_subparsers(
        required=True, metavar="COMMAND", prog="smtps", parser_class=Parser
    )
    for module in dict.fromkeys(_MODULES[name] for name in commands):
        import_module(f".{module}", __package__).add_commands(chosen)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and give its exit status, one of sysexits.h."""
    for stream in (sys.stdout, sys.stderr):
        # What a terminal cannot show must not end the work.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(_words(arguments))
    except Failure as failure:
        complain(str(failure))
        return failure.status
    except SMTPSError as error:
        complain(str(error))
        return CONFIG if _is_of_an_option(error) else status_of(error)
    except KeyboardInterrupt:
        leave_line()
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has seen enough.
        hush()
        return IOERR
    except Exception as error:
        if os.environ.get("SMTPS_TRACEBACK"):
            raise
        complain(f"{type(error).__name__}: {error}; this is a bug, SMTPS_TRACEBACK=1 shows where")
        return SOFTWARE


def _words(arguments: Sequence[str] | None) -> list[str]:
    if arguments is not None:
        return list(arguments)
    # As /usr/sbin/sendmail, for programs that call nothing else.
    called = Path(sys.argv[0]).name
    return ["sendmail", *sys.argv[1:]] if called == "sendmail" else sys.argv[1:]


def _run(words: list[str]) -> int:
    if not words:
        make_parser().print_help(sys.stderr)
        return USAGE
    if words[0] == "sendmail" and words[1:] != ["--help"]:
        from .sendmail import run

        return run(words[1:])
    chosen = make_parser(words[:1] if words[0] in _MODULES else _MODULES).parse_all(words)
    status: int = chosen.run(chosen)
    return status


def _is_of_an_option(error: SMTPSError) -> bool:
    """Tell whether it is an option that cannot be used, and not a message."""
    from .sources import find_option

    return isinstance(error, BadValue) and find_option(error.field) is not None


def _version() -> str:
    """Name the version and what its hot functions are made of."""
    core = f"compiled core, {codec.level}" if codec.implementation == "fast" else "pure Python"
    return f"smtps {version('smtps')} ({core})"
