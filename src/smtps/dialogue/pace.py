"""How much may be in flight on one connection: tuned to bandwidth x delay, humbled by refusals."""

from __future__ import annotations

from collections import deque

__all__ = ["Pace"]

# Where a connection begins, and the most and the least that measuring leads to.
_FIRST = 32
_MOST = 4096
_LEAST = 16
# A window holds this many times what the path does, so that a measurement can show more of it.
_GAIN = 2.0
# Work that may wait besides: without it a fast server on the same host would be fed by single
# messages, and every one of them would cost its own calls of the system.
_SLACK = 0.002
# The best of so many measurements counts; the others had less to send than could have gone.
_REMEMBERED = 10
# What is counted in less time than this says nothing about a rate: replies come in bursts.
_LEAST_INTERVAL = 0.001
# At first the window grows by what is answered, so twofold with each round trip, until answers take
# so many times as long as the first of them: then it is no longer the distance that bounds.
_QUEUED = 4.0
# After so many refused transactions a server that once broke off for them is asked one by one.
_PATIENCE = 2


class Pace:
    """Decide how many messages may be unanswered, from what was seen of the connection.

    Args:
        window: the most, chosen by the program; without it what was measured decides.
        fresh: whether nothing is known against the server; after a connection that was of no use
            the first messages go one by one.
    """

    def __init__(self, window: int | None = None, *, fresh: bool = True) -> None:
        self._window = window
        self._measured = float(window or _FIRST)
        self._is_growing = window is None
        #: Whether this server has broken off after refusals before.
        self.is_strict = False
        #: After a refusal, the most in flight until as many were taken as make up for it.
        self._ceiling: float | None = None if fresh else 1.0
        #: Whether the next message has to wait for the replies to its recipients.
        self.careful = window == 1 or not fresh
        #: How many transactions were refused as a whole.
        self.setbacks = 0
        #: Whether the server said that it closes (421).
        self.is_dismissed = False
        #: The first message of each write, and when that was.
        self._marks: deque[tuple[int, float]] = deque()
        self._delay = 0.0
        #: The last time seen from writing a message to its final reply.
        self.last_delay = 0.0
        self._rates: deque[float] = deque(maxlen=_REMEMBERED)
        self._last_sample: tuple[int, float] | None
        #: The most messages that may be in flight now.
        self.most: int
        self.begin()
        self._settle()

    @property
    def delay(self) -> float:
        """The shortest time seen from writing a message to its final reply; 0 before any."""
        return self._delay

    @property
    def rate(self) -> float:
        """The most messages a second that were answered of late; 0 before any."""
        return max(self._rates, default=0.0)

    def begin(self) -> None:
        """Note that a window opens; its messages are counted from its own first one."""
        self._marks.clear()
        self._answered = self._written = 0
        self._last_sample = None

    def wrote(self, added: int, now: float) -> None:
        """Note that the messages up to the `added`-th of the window are written."""
        if self._last_sample is None:
            self._last_sample = (self._answered, now)
        self._marks.append((self._written + 1, now))
        self._written = added

    def answered(self, count: int, now: float) -> None:
        """Note that `count` messages of the window are answered by now."""
        before, self._answered = self._answered, count
        taken = count - before
        # Where less was in flight than could have been, nothing asks for more.
        if self._is_growing and taken and 2 * (self._written - before) >= self.most:
            self._measured = min(self._measured + taken, _MOST)
            self._settle()
        if taken and self._ceiling is not None:
            self._ceiling += taken
            if self._ceiling >= self._measured:
                self._ceiling = None
            self._settle()
        reached = None
        while self._marks and self._marks[0][0] <= count:
            reached = self._marks.popleft()
        if reached is not None:
            self._sample(count, now, now - reached[1])

    def set_back(self) -> None:
        """Note that a transaction was refused as a whole: one at a time now, and slowly up again.

        Servers count what follows a refused recipient as errors of ours, and close after some.
        """
        self.setbacks += 1
        self._ceiling = 1.0
        self._is_growing = False
        self.careful = True
        self._settle()

    def took_one(self, *, taken: bool) -> None:
        """Note what became of a message that waited for the replies to its recipients."""
        if not taken or (self.is_strict and self.setbacks > _PATIENCE):
            return
        if self._ceiling is not None:
            self._ceiling += 1.0
            self._settle()
        self.careful = self._window == 1

    def _sample(self, count: int, now: float, delay: float) -> None:
        # The shortest of all, since later ones hold the time that messages waited in our own queue.
        if delay < self._delay or not self._delay:
            self._delay = delay
        self.last_delay = delay
        if self._last_sample is None:
            self._last_sample = (count, now)
            return
        before, then = self._last_sample
        if now - then < _LEAST_INTERVAL or now - then < self._delay:
            return
        self._rates.append((count - before) / (now - then))
        self._last_sample = (count, now)
        if self._is_growing and delay <= _QUEUED * self._delay + _SLACK:
            return
        self._is_growing = False
        wanted = _GAIN * self.rate * (self.delay + _SLACK)
        self._measured = min(max(wanted, _LEAST), _MOST)
        self._settle()

    def _settle(self) -> None:
        most = self._measured if self._window is None else float(self._window)
        if self._ceiling is not None:
            most = min(most, self._ceiling)
        self.most = int(most)
