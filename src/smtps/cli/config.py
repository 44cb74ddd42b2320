"""`smtps config`: which values are used, and where each comes from."""

from __future__ import annotations

import argparse
import os
from typing import Any

from .configuration import Configuration
from .exits import OK
from .parsing import add_command
from .sources import OWN_NAMES, candidates, options
from .terminal import plain, say, say_json, table

__all__ = ["add_commands"]

_EXAMPLES = """
smtps config                      where configuration files are looked for
smtps config --show               every value, and where it comes from
SMTPS_TIMEOUT=10 smtps config --show --json
"""
_NOTES = """
A file is TOML, with the names that --show prints:
  url = "smtp://me@relay.example:587"
  password_command = "pass show relay"
  timeout = 30

Beside the properties and settings of the library there are:
""" + "\n".join(f"  {name:18}{about}" for name, about in OWN_NAMES.items())
# A function cannot be written down, and a certificate comes from its store.
_NOT_WRITTEN = {"token_provider", "ssl_cert"}


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "config",
        _config,
        about="show the configuration and where each value comes from",
        examples=_EXAMPLES,
        notes=_NOTES,
        relay=True,
    )
    parser.add_argument("--show", action="store_true", help="print every value with its source")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _config(arguments: argparse.Namespace) -> int:
    configuration = Configuration.load(arguments)
    values = _values(configuration) if arguments.show else {}
    if arguments.json:
        used = None if configuration.file is None else str(configuration.file)
        say_json({"file": used, "options": values})
        return OK
    if not arguments.show:
        _show_files(configuration)
        return OK
    given = [_row(name, facts) for name, facts in values.items() if facts["source"] != "default"]
    others = [_row(name, facts) for name, facts in values.items() if facts["source"] == "default"]
    if given:
        say("\n".join([*table(given), ""]))
    say("\n".join(table(others)))
    return OK


def _values(configuration: Configuration) -> dict[str, dict[str, str]]:
    found = {}
    for name in sorted((*OWN_NAMES, *options())):
        given = configuration.given.get(name)
        # A URL is taken apart into what it stands for.
        if name in _NOT_WRITTEN or name == "url":
            continue
        value, source = configuration.shown(name), given.source if given else "default"
        found[name] = {"value": value, "source": source}
    return found


def _row(name: str, facts: dict[str, str]) -> tuple[str, ...]:
    value = plain(facts["value"])
    return name, value if len(value) <= 40 else value[:37] + "...", facts["source"]


def _show_files(configuration: Configuration) -> None:
    say("arguments go before SMTPS_URL and SMTPS_*, those before the first file of:")
    files = candidates(os.environ)
    if configuration.file is not None and configuration.file not in files:
        files.insert(0, configuration.file)
    for path in files:
        used = path == configuration.file
        say(f"  {path}  {'is used' if used else 'is not there' if not path.exists() else ''}")
    if not configuration.names_relay:
        say('no relay is named yet; url = "smtp://user@host:587" in one of them names it')
