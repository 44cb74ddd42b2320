"""Records that wait to be mailed: so many and no more, and a count of those that had no room."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Batch", "Entry", "Tray"]


class Entry(NamedTuple):
    """A record as it is mailed."""

    text: str
    subject: str
    level: int
    level_name: str


class Batch(NamedTuple):
    """What goes in one message."""

    entries: Sequence[Entry]
    #: What had no room before, as a line for people; "" if all had.
    left_out: str

    @property
    def subject(self) -> str:
        """The subject of the gravest record, and how many there are."""
        if not self.entries:
            return "Log records were left out"
        gravest = max(self.entries, key=lambda entry: entry.level)
        more = f" ({len(self.entries)} records)" if len(self.entries) > 1 else ""
        return gravest.subject + more

    @property
    def text(self) -> str:
        """All of it."""
        lines = [entry.text for entry in self.entries]
        return "\n".join([*lines, *([f"\n{self.left_out}"] if self.left_out else [])]) + "\n"


class Tray:
    """Records in their order. Not thread-safe.

    Args:
        capacity: the most that wait; what comes then is counted and dropped.
        batch: the most that go in one message.
    """

    def __init__(self, capacity: int, batch: int) -> None:
        self._capacity = capacity
        self._batch = batch
        self._entries: deque[Entry] = deque()
        self._dropped: Counter[str] = Counter()
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not self._entries and not self._dropped

    @property
    def is_full(self) -> bool:
        """Whether a whole message waits."""
        return len(self._entries) >= self._batch

    def put(self, entry: Entry) -> None:
        """Take a record, or count it."""
        if len(self._entries) < self._capacity:
            self._entries.append(entry)
        else:
            self._drop(entry.level_name, 1)

    def take(self, *, everything: bool = False) -> Batch:
        """Give what goes in the next message."""
        count = len(self._entries) if everything else min(self._batch, len(self._entries))
        entries = [self._entries.popleft() for _ in range(count)]
        # What was left out came after those that wait; it is told behind the last of them.
        line = "" if self._entries else self._summary()
        return Batch(entries, line)

    def put_back(self, batch: Batch) -> None:
        """Take back what could not be sent; the latest have no room if there is too little."""
        room = self._capacity - len(self._entries)
        self._entries.extendleft(reversed(batch.entries[:room]))
        for entry in batch.entries[room:]:
            self._drop(entry.level_name, 1)
        if batch.left_out:
            self._drop(batch.left_out, 0)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._dropped.clear()

    def _drop(self, what: str, count: int) -> None:
        if not self._dropped:
            self._since = time.time()
        self._dropped[what] += count

    def _summary(self) -> str:
        if not self._dropped:
            return ""
        lines = [line for line, count in self._dropped.items() if not count]
        counts = {name: count for name, count in self._dropped.items() if count}
        if counts:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._since))
            each = ", ".join(f"{count} {name}" for name, count in counts.items())
            total = sum(counts.values())
            were = "record was" if total == 1 else "records were"
            lines.append(f"{total} {were} left out since {since}: {each}")
        self._dropped.clear()
        return "\n".join(lines)
