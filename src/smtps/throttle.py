"""How fast a relay may be sent to: what the program allows, and what the relay seems to want."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from .errors import BadValue
from .receipt import Receipt

__all__ = ["PRESETS", "Preset", "Throttle", "parse_rate"]

#: The codes by which a server says that it is too much, or too fast.
_SLOWER = frozenset((421, 432, 450, 451, 454))
# 450 and 451 are also said of one mailbox: only so many of them among all mean us.
_SHARE = 0.05
# No more than once in so many seconds is one step down, and one step up.
_STEP = 1.0
# What may be sent at once after a pause, in seconds of the rate.
_BURST = 0.1

_rate = re.compile(r"([0-9]+(?:\.[0-9]+)?)/(s|min|h)").fullmatch
_SECONDS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Preset:
    """What a relay is known to allow."""

    rate: str
    connections: int | None = None


#: By name, what the operators of relays state for an ordinary account.
PRESETS = {
    # learn.microsoft.com, "Exchange Online limits": 30 messages a minute, 3 connections.
    "office365": Preset("30/min", 3),
    # docs.aws.amazon.com, "Managing your SES sending limits": 14 a second outside of the sandbox.
    "ses": Preset("14/s"),
}


def parse_rate(rate: str) -> float:
    """Give the messages a second of "14/s", "30/min" or "1000/h".

    Raises:
        BadValue: it is neither that nor the name of a preset.
    """
    given: object = rate
    text = given if isinstance(given, str) else ""
    found = _rate(PRESETS[text].rate if text in PRESETS else text)
    value = float(found[1]) / _SECONDS[found[2]] if found else 0.0
    if value <= 0:
        examples = f'"14/s", "30/min" or "1000/h", or {", ".join(PRESETS)}'
        raise BadValue("rate", f"{given!r}: expected a rate such as {examples}")
    return value


class Throttle:
    """Decide how many messages may be taken now, and over how many connections.

    Without a chosen rate there is none, until the server says that it is too much: then half of
    what went, on half of the connections, and slowly up again (additive increase, multiplicative
    decrease). Times are those of `time.monotonic`.

    Threads may share one.

    Args:
        rate: messages a second that are never exceeded.
        connections: the most connections.
    """

    def __init__(self, rate: float | None, connections: int) -> None:
        self._lock = Lock()
        self._chosen = rate
        #: The messages a second that are allowed now; None is no limit.
        self.rate = rate
        self._most = connections
        #: How many connections may carry messages now.
        self.connections = connections
        self._credit = 1.0
        self._filled: float | None = None
        self._since: float | None = None
        self._answered = 0
        self._deferred = 0
        self._closing = False
        self._before = 0.0
        self._peak = 0.0

    def start_in_child(self) -> None:
        """Go on in a forked child, though a thread of the parent may have been at work here."""
        self._lock = Lock()

    def take(self, most: int, now: float) -> int:
        """Give how many of `most` messages may go now, and count them."""
        with self._lock:
            if self.rate is None:
                return most
            if self._filled is None:
                self._filled = now
            # Of two threads, the one that looked at the clock first may come second.
            self._credit += max(0.0, now - self._filled) * self.rate
            self._filled = max(self._filled, now)
            self._credit = min(self._credit, max(1.0, _BURST * self.rate))
            allowed = min(most, int(self._credit))
            self._credit -= allowed
            return allowed

    def give_back(self, count: int) -> None:
        """Note that fewer messages went than were taken."""
        with self._lock:
            if self.rate is not None:
                self._credit += count

    def pause(self) -> float:
        """Give the seconds until one more message may go."""
        with self._lock:
            return 0.0 if self.rate is None else max(0.0, (1.0 - self._credit) / self.rate)

    def heard(self, receipts: Iterable[Receipt], now: float) -> None:
        """Learn from what became of messages."""
        with self._lock:
            if self._since is None:
                self._since = now
            for receipt in receipts:
                self._answered += 1
                if not receipt.ok:
                    self._hear(receipt)
            if now - self._since >= _STEP or self._closing:
                self._adjust(now)

    def _hear(self, receipt: Receipt) -> None:
        codes = {result.reply.code for result in receipt.results if result.reply is not None}
        if receipt.error is not None and receipt.error.reply is not None:
            codes.add(receipt.error.reply.code)
        self._deferred += bool(codes & _SLOWER)
        self._closing = self._closing or 421 in codes

    def _adjust(self, now: float) -> None:
        assert self._since is not None
        elapsed = max(now - self._since, 0.01)
        rate = self._answered / elapsed if elapsed >= _STEP else max(self._before, 1.0)
        if self._closing or self._deferred > _SHARE * self._answered:
            self.connections = max(1, self.connections // 2)
            self._peak = max(1.0, rate)
            self._limit(max(1.0, min(rate, self.rate or rate) / 2))
        elif elapsed >= _STEP:
            self.connections = min(self._most, self.connections + 1)
            if self.rate is not None and self.rate != self._chosen:
                self._limit(self.rate + max(1.0, self._peak / 20))
        self._before = rate
        self._since, self._answered, self._deferred, self._closing = now, 0, 0, False

    def _limit(self, rate: float) -> None:
        if self._chosen is not None:
            self.rate = min(rate, self._chosen)
        else:
            # Twice of what was too much once was not too much after all.
            self.rate = rate if rate < 2 * self._peak else None
