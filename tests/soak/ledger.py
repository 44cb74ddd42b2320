"""What the client was told of every message, held against what the server took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from smtps import Outcome, Receipt
from smtps.errors import DeliveryUnknown

__all__ = ["Ledger"]

_OPEN, _ACCEPTED, _REFUSED, _UNKNOWN = range(4)
_FINAL = {
    Outcome.ACCEPTED: _ACCEPTED,
    Outcome.REFUSED: _REFUSED,
    Outcome.UNKNOWN: _UNKNOWN,
}
#: How many copies the server can have then, at most and at least; of all others none.
_COPIES = {Outcome.ACCEPTED: (1, 1), Outcome.UNKNOWN: (1, 0)}


class Ledger:
    """One byte for each message; those that were put off are open, and go again."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self._said = bytearray(messages)
        self.receipts = 0
        self.wrong: list[str] = []

    def open(self) -> Iterator[int]:
        """Give the numbers of those that have no final receipt, in order."""
        place = self._said.find(_OPEN)
        while place >= 0:
            yield place
            place = self._said.find(_OPEN, place + 1)

    def take(self, number: int, receipt: Receipt, taken: int) -> None:
        """Write down what a receipt says.

        Args:
            taken: how often the server has taken the message by now, which it notes before it
                answers.
        """
        self.receipts += 1
        outcome = receipt.results[0].outcome
        if self._said[number] != _OPEN:
            self.wrong.append(f"{number} has a second receipt: {outcome}")
        if outcome is Outcome.UNKNOWN and not isinstance(receipt.error, DeliveryUnknown):
            self.wrong.append(f"{number} is unknown, and its error is {receipt.error!r}")
        most, least = _COPIES.get(outcome, (0, 0))
        if not least <= taken <= most:
            self.wrong.append(f"{number} is {outcome}, and was taken {taken} times")
        self._said[number] = _FINAL.get(outcome, _OPEN)

    def balance(self, taken: bytes) -> dict[str, int]:
        """Count, and note every message of which the two sides differ."""
        seen = Counter(zip(self._said, taken, strict=True))
        unknown = {count: seen[_UNKNOWN, count] for count in (0, 1)}
        good = seen[_ACCEPTED, 1] + seen[_REFUSED, 0] + sum(unknown.values())
        if good != len(self._said):
            self.wrong.append(f"(said, times taken): {dict(seen)}")
        return {
            "messages": len(self._said),
            "accepted": seen[_ACCEPTED, 1],
            "refused": seen[_REFUSED, 0],
            "unknown, and taken": unknown[1],
            "unknown, and not taken": unknown[0],
            "doubled": sum(number for (_, count), number in seen.items() if count > 1),
            "lost": seen[_ACCEPTED, 0],
            "receipts": self.receipts,
        }
