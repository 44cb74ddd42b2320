"""The `smtps` command and its subcommands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..errors import SMTPSError
from . import demo
from .exits import INTERRUPTED, TEMPFAIL, UNAVAILABLE

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and give its exit status, one of sysexits.h."""
    parser = argparse.ArgumentParser(prog="smtps", description="Send mail over SMTP.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo.add_command(commands)
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
