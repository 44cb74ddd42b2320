"""A line with delay between two network namespaces; see `link.c`."""

from __future__ import annotations

import json
import subprocess
from typing import Self

from .native import Program

__all__ = ["Link", "NoLink"]

PROGRAM = Program("link", ("link.c",))


class NoLink(RuntimeError):
    """This machine has no delaying line; the text says why."""


class Link:
    """A running line. `client` and `server` are commands that start a program at either end.

    Attributes:
        host: the address of the server's end, as the client's end sees it.
        pid: the process that hands the packets on.

    Raises:
        NoLink: no right to make a network namespace, or no TUN device.
        NotBuilt: no compiler.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM.build()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise NoLink(self._process.stderr.read().strip())
        about = json.loads(line)
        self.pid = self._process.pid
        self.host: str = about["host"]
        self.client = ("nsenter", f"--net={about['client']}")
        self.server = ("nsenter", f"--net={about['server']}")

    def set_round_trip(self, milliseconds: float) -> None:
        """Delay each direction by half of this, from now on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{round(milliseconds * 500)}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> None:
        """Take the line down; the namespaces go with the last program in them."""
        self._process.communicate(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
