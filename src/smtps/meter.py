"""Where the time of a session goes, so that a pool can say what keeps it from being faster."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Meter"]


@dataclass(slots=True)
class Meter:
    """Seconds and counts, added up over all the sessions that share it."""

    #: Seconds of waiting for replies, and of waiting until the system took what was written.
    reading: float = 0.0
    writing: float = 0.0
    #: Messages that were answered, and the seconds from writing each to its answer, added up.
    answered: int = 0
    answering: float = 0.0
    #: The shortest time in which a server answered EHLO; 0 before any did.
    round_trip: float = 0.0

    def heard_hello(self, seconds: float) -> None:
        """Note how long the answer to EHLO took, which costs the server next to nothing."""
        self.round_trip = min(self.round_trip or seconds, seconds)

    def heard(self, count: int, seconds: float) -> None:
        """Note that messages were answered so long after they were written."""
        self.answered += count
        self.answering += count * seconds
