"""The record of what was sent: claimed before the server hears of it, settled after its answer.

Each message has a hash in Redis, with a field for each recipient: a claim, or what became of it.
Whoever finds a claim whose attempt no longer lives knows that nobody knows.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from secrets import token_hex
from time import monotonic

from .memory import Memory, MemoryUnavailable
from .scripts import CLAIM, SETTLE

__all__ = ["BUSY", "CLAIMED", "Attempt", "Record"]

_log = logging.getLogger("smtps.celery")
_WHAT = "the record of what was sent"
# What a claim is answered with, beside what is written down already.
CLAIMED, BUSY = "go", "busy"
# Receipts that come so close together, in seconds, and up to so many, are written down in one step.
_CLOSE = 0.001
_TOGETHER = 16


class Record:
    """What this process shares with Redis of all its attempts. It is for threads, not for forks.

    Args:
        ttl: seconds for which a message is remembered.
        lease: seconds after which an attempt that says nothing is taken for dead.
        resend: whether recipients in doubt are claimed again.
    """

    def __init__(self, memory: Memory, *, ttl: float, lease: float, resend: bool) -> None:
        self.memory = memory
        self.ttl, self.lease, self.resend = ttl, lease, resend
        self._pending: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._lock = threading.Lock()
        self._alive: set[str] = set()
        self._over = threading.Event()
        self._keeper: threading.Thread | None = None

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Begin to send; while this lasts, others wait for what it has claimed."""
        self._start_keeper()
        name = token_hex(8)
        self._alive.add(name)
        attempt = Attempt(self, name)
        try:
            yield attempt
        finally:
            try:
                self.flush()
            except MemoryUnavailable as error:
                # The keeper goes on trying for as long as the process lives.
                _log.warning("what was sent is not written down yet: %s", error)
            self._alive.discard(name)
            if attempt.is_doubtful and not self._pending:
                # What it may have claimed without knowing is free to be asked about.
                self.memory.drop(self._lease_of(name))

    def settle(self, key: str, claim: str, words: list[tuple[str, str]]) -> None:
        """Note what became of claimed recipients; `flush` writes it down."""
        with self._lock:
            self._pending.append((self._key_of(key), claim, words))

    @property
    def pending(self) -> int:
        """How many messages are not written down yet."""
        return len(self._pending)

    def flush(self) -> None:
        """Write down what is noted.

        Raises:
            MemoryUnavailable: it stays noted.
        """
        with self._lock:
            if not self._pending:
                return
            settled = self._pending[:]
            self.memory.run(
                SETTLE,
                [key for key, _, _ in settled],
                [int(self.ttl), json.dumps([(claim, words) for _, claim, words in settled])],
                what=_WHAT,
            )
            del self._pending[: len(settled)]

    def claim(
        self, attempt: str, number: int, wanted: Sequence[tuple[str, Sequence[str]]]
    ) -> list[list[str]]:
        """Claim recipients of messages, or learn what is known of them."""
        found: list[list[str]] = self.memory.run(
            CLAIM,
            [self._key_of(key) for key, _ in wanted],
            [
                attempt,
                number,
                self._lease_of(""),
                int(self.lease * 1000),
                int(self.ttl),
                int(self.resend),
                json.dumps([list(addresses) for _, addresses in wanted]),
            ],
            what=_WHAT,
        )
        return found

    def close(self) -> None:
        """Write down what is noted, and end."""
        self._over.set()
        if self._keeper is not None:
            self._keeper.join()
        try:
            self.flush()
        except MemoryUnavailable as error:
            _log.error("what was sent last stays in doubt: %s", error)
        self.memory.close()

    def _start_keeper(self) -> None:
        with self._lock:
            if self._keeper is None:
                keeper = threading.Thread(target=self._keep, name="smtps-record", daemon=True)
                keeper.start()
                self._keeper = keeper

    def _keep(self) -> None:
        """Let the attempts of this process live, as long as it does."""
        while not self._over.wait(self.lease / 3):
            try:
                for name in tuple(self._alive):
                    self.memory.touch(self._lease_of(name), int(self.lease * 1000), what=_WHAT)
                self.flush()
            except MemoryUnavailable as error:
                _log.warning("%s", error)

    def _key_of(self, key: str) -> str:
        return f"{self.memory.prefix}message:{key}"

    def _lease_of(self, attempt: str) -> str:
        return f"{self.memory.prefix}alive:{attempt}"


class Attempt:
    """One run of a task, as the record knows it."""

    def __init__(self, record: Record, name: str) -> None:
        self._record = record
        self._name = name
        self._numbers = count(1)
        self._written = 0.0
        #: Whether something may be claimed that it does not know of.
        self.is_doubtful = False

    def claim(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, list[list[str]]]:
        """Claim recipients before they are sent to.

        Args:
            wanted: the keys of messages, each with recipients.

        Returns:
            The claim, and for each recipient `CLAIMED`, `BUSY`, or what is written down.

        Raises:
            MemoryUnavailable: nothing may be sent.
        """
        self._record.flush()
        number = next(self._numbers)
        self.is_doubtful = True
        found = self._record.claim(self._name, number, wanted)
        self.is_doubtful = False
        return f"{self._name}/{number}", found

    def settle(self, key: str, claim: str, words: Mapping[str, str]) -> None:
        """Write down what became of claimed recipients, at once or together with the next.

        Without words a recipient is free again. If Redis cannot be reached this is told by the next
        `claim`, so that what is in flight has its receipts.
        """
        self._record.settle(key, claim, list(words.items()))
        if self._record.pending < _TOGETHER and monotonic() - self._written < _CLOSE:
            return
        try:
            self._record.flush()
        except MemoryUnavailable as error:
            _log.debug("%s", error)
        self._written = monotonic()
