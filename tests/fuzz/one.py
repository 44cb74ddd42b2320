"""Fuzz one target in this process, which ends with it."""

from __future__ import annotations

import sys
from importlib import import_module

import atheris

__all__ = ["main"]

#: What guides the search by its branches; the rest of the package would only take time.
GUIDES = [
    *("smtps._pure", "smtps.address", "smtps.domain", "smtps.firewall", "smtps.mailboxes"),
    *("smtps.ber", "smtps.rounds"),
    *(
        "smtps.mime.headers",
        "smtps.mime.parameters",
        "smtps.sasl",
        "smtps.spool.entry",
        "smtps.url",
    ),
]


def main() -> None:
    """Take the name of the target first, and the arguments of libFuzzer after it."""
    name = sys.argv.pop(1)
    # The plain Python guides the search; the compiled twins are held to it.
    with atheris.instrument_imports(include=GUIDES):
        target = import_module(f"tests.fuzz.targets.{name}")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
