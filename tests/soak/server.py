"""A server that is killed and comes back, stalls, refuses and drops, each by seeded chance.

What it took is counted in a file that outlives it: one byte for each message, written before the
message is answered, as a real server has it on its disk by then.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
from pathlib import Path

from smtps.testing import Fault, Sink, SinkMessage

__all__ = ["Server"]


class Server:
    """Processes that take turns at one port.

    Make it before there are threads: it forks. `counts` says how often each message was taken.
    """

    def __init__(self, file: Path, messages: int, seed: int) -> None:
        file.write_bytes(bytes(8 + messages))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 0)
        with Sink(record=False) as free:
            self.port = int(free.url.rpartition(":")[2].partition("?")[0].strip("/"))
        self._seed = seed
        self._parent = os.getpid()
        self._keeper = os.fork()
        if not self._keeper:
            self._keep()
        self._wait_for(0)

    @property
    def counts(self) -> bytes:
        """How often each message was taken."""
        return self._shared[8:]

    def count(self, number: int) -> int:
        """How often one of them was taken."""
        return self._shared[8 + number]

    def restart(self) -> None:
        """Kill it in the middle of whatever it does; another takes its place."""
        process = self._process()
        if process:
            self._shared[:8] = bytes(8)
            os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """End it for good."""
        os.kill(self._keeper, signal.SIGKILL)
        os.waitpid(self._keeper, 0)
        os.kill(self._process(), signal.SIGKILL)

    def _process(self) -> int:
        return int.from_bytes(self._shared[:8], "little")

    def _wait_for(self, before: int) -> None:
        while self._process() == before:
            time.sleep(0.01)

    def _keep(self) -> None:
        turn = 0
        while os.getppid() == self._parent:
            turn += 1
            process = os.fork()
            if not process:
                self._serve(random.Random(self._seed * 1000 + turn))
            os.waitpid(process, 0)
        os._exit(0)

    def _serve(self, luck: random.Random) -> None:
        keeper = os.getppid()
        with Sink(port=self.port, faults=faults(luck), on_message=self._take):
            self._shared[:8] = os.getpid().to_bytes(8, "little")
            while os.getppid() == keeper:
                time.sleep(1)
        os._exit(0)

    def _take(self, message: SinkMessage) -> None:
        number = 8 + int(message.sender.partition("@")[0][1:])
        self._shared[number] += 1


def faults(luck: random.Random) -> list[Fault]:
    """Give what goes wrong: rarely enough that most messages pass."""

    def sometimes(on: str, chance: float, **what: object) -> Fault:
        return Fault(on=on, when=lambda text: luck.random() < chance, **what)  # type: ignore[arg-type]

    return [
        sometimes("RCPT", 0.01, reply="550 5.1.1 no such user"),
        sometimes("RCPT", 0.01, reply="451 4.3.0 later"),
        sometimes("MAIL", 0.002, reply="452 4.3.1 full"),
        sometimes("MAIL", 0.0005, reply="421 4.3.2 closing", drop=True),
        sometimes("RCPT", 0.0002, reset=True),
        sometimes(".", 0.005, reply="554 5.6.0 no"),
        sometimes(".", 0.0002, silent=True, drop=True),
        sometimes(".", 0.0002, drop=True),
        sometimes(".", 0.00005, stall=True),
        sometimes(".", 0.0005, delay=0.02),
    ]
