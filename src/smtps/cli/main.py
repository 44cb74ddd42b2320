"""The `smtps` command and its subcommands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from .. import codec
from ..errors import SMTPSError
from . import demo, outbox
from .exits import INTERRUPTED, TEMPFAIL, UNAVAILABLE

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and give its exit status, one of sysexits.h."""
    parser = argparse.ArgumentParser(prog="smtps", description="Send mail over SMTP.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo.add_command(commands)
    outbox.add_commands(commands)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except SMTPSError as error:
        print(f"smtps: {error}", file=sys.stderr)  # noqa: T201
        return TEMPFAIL if error.retryable else UNAVAILABLE
    except KeyboardInterrupt:
        print("smtps: interrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    return status


def _version() -> str:
    """Name the version and what its hot functions are made of."""
    core = f"compiled core, {codec.level}" if codec.implementation == "fast" else "pure Python"
    return f"smtps {version('smtps')} ({core})"
