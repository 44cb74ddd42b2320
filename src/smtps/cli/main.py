"""The `smtps` command and its subcommands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from .. import codec
from ..errors import SMTPSError
from . import bench, completion, config, demo, outbox, probe, send, sendmail, sink
from .exits import INTERRUPTED, IOERR, SOFTWARE, Failure, status_of
from .parsing import Parser
from .terminal import complain

__all__ = ["main", "make_parser"]

_EPILOG = """
exit status, as sysexits.h has it:
  0 accepted for everyone      64 wrong arguments         65 wrong message or address
  66 no such file              67 recipient refused       68 no such host
  69 refused for another       70 error of this program   74 answer lost: perhaps sent
     reason                    75 try again later         76 protocol or TLS failed
  77 login refused             78 wrong configuration     130 ended by Ctrl-C

smtps COMMAND --help tells more, with examples.
"""


def make_parser() -> Parser:
    """Make the parser of the whole command line."""
    parser = Parser(
        prog="smtps", description="Send mail over SMTP, and look at who takes it.", epilog=_EPILOG
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    send.add_commands(commands)
    sendmail.add_commands(commands)
    outbox.add_commands(commands)
    probe.add_commands(commands)
    sink.add_commands(commands)
    config.add_commands(commands)
    bench.add_commands(commands)
    demo.add_commands(commands)
    completion.add_commands(commands, make_parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and give its exit status, one of sysexits.h."""
    try:
        return _run(_words(arguments))
    except Failure as failure:
        complain(str(failure))
        return failure.status
    except SMTPSError as error:
        complain(str(error))
        return status_of(error)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    if words[:1] == ["sendmail"] and words[1:] not in (["--help"], ["--version"]):
        return sendmail.run(words[1:])
    chosen = make_parser().parse_all(words)
    status: int = chosen.run(chosen)
    return status


def _version() -> str:
    """Name the version and what its hot functions are made of."""
    core = f"compiled core, {codec.level}" if codec.implementation == "fast" else "pure Python"
    return f"smtps {version('smtps')} ({core})"
