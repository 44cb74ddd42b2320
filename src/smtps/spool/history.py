"""What is known of one queued message: a history of lines behind its content, and their sum.

Each line is one JSON object, so that a person and a program can read it:
```
{"at": "2026-11-25T08:51:00.000000Z", "event": "handed over", "to": [0, 1], "boot": "..."}
{"at": "...", "event": "attempt", "results": [[0, "accepted", "250 2.0.0 ok"], ...], "wait": 321.5}
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from typing import Any

from ..errors import AddressError, NotOffered, SenderRefused, TooLarge
from ..receipt import Outcome, Receipt
from .entry import Damaged, Entry, parse_time

__all__ = ["CANNOT_CARRY", "Attempt", "Progress", "Standing", "format_record", "parse_records"]


#: A server can do without what the message needs; the session goes on.
CANNOT_CARRY = (NotOffered, TooLarge, AddressError)


class Standing(Enum):
    """How it stands with one recipient."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    #: The message was handed over for it, and the answer is not known.
    IN_DOUBT = "in doubt"


_STANDINGS = {
    Outcome.ACCEPTED: Standing.ACCEPTED,
    Outcome.REFUSED: Standing.REFUSED,
    Outcome.DEFERRED: Standing.WAITING,
    Outcome.NOT_SENT: Standing.WAITING,
    Outcome.UNKNOWN: Standing.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to: for each recipient that was tried its place, outcome and words."""

    results: tuple[tuple[int, Outcome, str], ...]

    @classmethod
    def of(cls, receipt: Receipt, places: Sequence[int]) -> Attempt:
        """Take what a receipt says of the recipients at these places of the entry."""
        error = receipt.error
        words = "" if error is None else str(error)
        if not receipt.results or isinstance(error, CANNOT_CARRY):
            # No byte of it was sent, and none of it as it is ever will be.
            return cls.same(places, Outcome.REFUSED, words)
        if isinstance(error, SenderRefused):
            # Nothing was sent because the server said so, of all recipients at once.
            outcome = Outcome.DEFERRED if error.retryable else Outcome.REFUSED
            return cls.same(places, outcome, str(error.reply))
        return cls(
            tuple(
                (
                    place,
                    result.outcome,
                    str(result.reply) if result.reply else words,
                )
                for place, result in zip(places, receipt.results, strict=True)
            )
        )

    @classmethod
    def same(cls, places: Iterable[int], outcome: Outcome, words: str) -> Attempt:
        """Say the same of every recipient."""
        return cls(tuple((place, outcome, words) for place in places))


@dataclass(slots=True)
class Progress:
    """The sum of a history."""

    standings: list[Standing]
    #: The last words about each recipient.
    words: list[str]
    attempts: int = 0
    #: When the last attempt was, in seconds since 1970.
    at: float = 0.0
    #: Seconds to wait after it.
    wait: float = 0.0
    #: Seconds that were waited before it, as the schedule counts them.
    waited: float = 0.0
    #: The recipients that the message is being handed over for, if it is.
    open: tuple[int, ...] = ()
    records: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(cls, entry: Entry) -> Progress:
        """Begin with everyone waiting."""
        count = len(entry.addressees)
        return cls([Standing.WAITING] * count, [""] * count)

    def having(self, standing: Standing) -> list[int]:
        """Give the places of the recipients that stand so."""
        return [place for place, found in enumerate(self.standings) if found is standing]

    def apply(self, record: dict[str, Any]) -> None:
        """Add one line of the history.

        Raises:
            Damaged: it makes no sense.
        """
        try:
            _EVENTS[record["event"]](self, record)
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise Damaged("a line of the history makes no sense") from error
        self.records.append(record)

    def _handed_over(self, record: dict[str, Any]) -> None:
        self.open = tuple(self._place(place) for place in record["to"])

    def _attempt(self, record: dict[str, Any]) -> None:
        for place, outcome, words in record["results"]:
            self.standings[self._place(place)] = _STANDINGS[Outcome(outcome)]
            self.words[place] = str(words)
        self.open = ()
        self.attempts += 1
        self.at = parse_time(record["at"])
        self.wait, self.waited = _seconds(record["wait"]), _seconds(record["waited"])

    def _in_doubt(self, record: dict[str, Any]) -> None:
        for place in record["to"]:
            self.standings[self._place(place)] = Standing.IN_DOUBT
            self.words[place] = str(record["why"])
        self.open = ()

    def _resolved(self, record: dict[str, Any]) -> None:
        standing = Standing(record["as"])
        for place in self.having(Standing.IN_DOUBT):
            self.standings[place] = standing

    def _released(self, _: dict[str, Any]) -> None:
        self.open = ()

    def _retry(self, _: dict[str, Any]) -> None:
        for place, standing in enumerate(self.standings):
            if standing is not Standing.ACCEPTED:
                self.standings[place] = Standing.WAITING
        self.open = ()
        self.attempts, self.at, self.wait, self.waited = 0, 0.0, 0.0, 0.0

    def _place(self, place: Any) -> int:
        if isinstance(place, bool) or not isinstance(place, int):
            raise TypeError
        if not 0 <= place < len(self.standings):
            raise IndexError
        return place


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not isfinite(seconds):
        raise ValueError
    return seconds


_EVENTS = {
    "handed over": Progress._handed_over,
    "attempt": Progress._attempt,
    "in doubt": Progress._in_doubt,
    "resolved": Progress._resolved,
    "released": Progress._released,
    "retry": Progress._retry,
}


def format_record(record: dict[str, Any]) -> bytes:
    """Spell one line of a history."""
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def parse_records(tail: bytes) -> tuple[list[dict[str, Any]], int]:
    """Read what stands behind the content.

    Returns:
        The records, and how many bytes of `tail` they are; what is left was cut off in the middle
        by a crash, before anything depended on it.

    Raises:
        Damaged: a line before the last is no record.
    """
    whole, newline, _torn = tail.rpartition(b"\n")
    records: list[dict[str, Any]] = []
    lines = (whole + newline).split(b"\n")[:-1]
    good = 0
    for number, line in enumerate(lines):
        if line and line != b"\r":
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                # A power cut can leave the end of a file as zeros or old bytes, newline and all.
                if any(lines[number + 1 :]):
                    raise Damaged("a line of the history is none") from None
                return records, good
            if not isinstance(record, dict):
                raise Damaged("a line of the history is none")
            records.append(record)
        good += len(line) + 1
    return records, good
