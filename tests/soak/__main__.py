"""Send very many messages through pools to a server that fails at random, and account for each.

    python -m tests.soak --messages 1000000 --seed 1

What was put off goes again until it is settled. At the end every message is accepted and taken
once, refused and not taken, or unknown, and nothing of the work is left in the process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smtps import AsyncPool, Envelope, Pool, Receipt
from tests.soak.ledger import Ledger
from tests.soak.server import Server

PAGE = os.sysconf("SC_PAGE_SIZE")
#: How much more memory the second half may take than the first one did.
FLAT = 8 << 20


@dataclass
class Soak:
    """One run and what came of it."""

    messages: int
    seed: int
    connections: int
    restarts: int
    restarted: int = 0
    rounds: int = 0
    resident: list[int] = field(default_factory=list)

    def run(self, server: Server, ledger: Ledger) -> None:
        """Go over the open ones until none is left: half of them by each of the two pools."""
        self._luck = random.Random(self.seed)
        self._until = self._every
        url = f"smtp://127.0.0.1:{server.port}?tls=none&timeout=2"
        with Pool(url, connections=self.connections) as pool:
            while (numbers := list_of(ledger)) and self.rounds < 200:
                self.rounds += 1
                half = (len(numbers) + 1) // 2
                for receipt in pool.send_many(map(item, numbers[:half])):
                    self._take(server, ledger, numbers[receipt.index], receipt)
                if rest := numbers[half:]:
                    asyncio.run(self._run_async(url, server, ledger, rest))

    async def _run_async(
        self, url: str, server: Server, ledger: Ledger, numbers: Sequence[int]
    ) -> None:
        async with AsyncPool(url, connections=self.connections) as pool:
            async for receipt in pool.send_many(map(item, numbers)):
                self._take(server, ledger, numbers[receipt.index], receipt)

    @property
    def _every(self) -> int:
        """So many receipts between two restarts, at most."""
        return max(1, self.messages // (self.restarts + 1))

    def _take(self, server: Server, ledger: Ledger, number: int, receipt: Receipt) -> None:
        ledger.take(number, receipt, server.count(number))
        if ledger.receipts % max(1, self.messages // 40) == 0:
            self.resident.append(resident())
        if ledger.receipts >= self._until and self.restarted < self.restarts:
            server.restart()
            self.restarted += 1
            self._until += self._luck.randrange(self._every // 2, self._every + 1)

    def faults(self, ledger: Ledger, descriptors: int) -> list[str]:
        """Say what is not as it has to be."""
        wrong = list(ledger.wrong)
        if list_of(ledger):
            wrong.append(f"{len(list_of(ledger))} messages were never settled")
        half = len(self.resident) // 2
        growth = max(self.resident[half:]) - max(self.resident[:half])
        if growth > FLAT:
            wrong.append(f"{growth / (1 << 20):.1f} MiB more in the second half")
        if descriptors != open_descriptors():
            wrong.append(f"{open_descriptors() - descriptors} descriptors are left")
        return wrong


def item(number: int) -> tuple[Envelope, bytes]:
    """Give the message with a number."""
    content = b"Subject: %d\r\n\r\nNumber %d.\r\n" % (number, number)
    return Envelope(f"s{number}@a.example", [f"r{number}@b.example"]), content


def list_of(ledger: Ledger) -> range | list[int]:
    """Give the open ones; a million numbers that are all there take no memory."""
    if not ledger.receipts:
        return range(ledger.messages)
    return list(ledger.open())


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def open_descriptors() -> int:
    """How many files and sockets are open."""
    return len(os.listdir("/proc/self/fd"))


def main(arguments: list[str] | None = None) -> int:
    """Do it, print the balance, and fail where something does not add up."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--restarts", type=int, default=20)
    given = parser.parse_args(arguments)
    soak = Soak(given.messages, given.seed, given.connections, given.restarts)
    ledger = Ledger(given.messages)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder, "taken"), given.messages, given.seed)
        before, begin = open_descriptors(), time.monotonic()
        try:
            soak.run(server, ledger)
        finally:
            server.stop()
        seconds = time.monotonic() - begin
        balance = ledger.balance(server.counts)
    for name, number in balance.items():
        print(f"{name}: {number:,}")
    print(f"killed and come back: {soak.restarted}, rounds: {soak.rounds}, {seconds:.0f} s")
    half = len(soak.resident) // 2
    first, second = max(soak.resident[:half]), max(soak.resident[half:])
    print(f"most memory, first and second half: {first >> 20} and {second >> 20} MiB")
    wrong = soak.faults(ledger, before)
    print(*wrong[:20], sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
