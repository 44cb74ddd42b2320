"""What is decided once for a whole run, and what the run came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from ..enumerations import InDoubt
from ..settings import Settings
from .schedule import Schedule

__all__ = ["Report", "Rules", "State", "check_policy"]


def check_policy(value: InDoubt | str) -> InDoubt:
    """Give the policy for messages in doubt, from its value or its name.

    Raises:
        BadValue: it is none.
    """
    return Settings.queue_in_doubt.check("in_doubt", value)


class State(IntEnum):
    """What became of a message in a run."""

    SENT = 0
    FAILED = 1
    DEFERRED = 2
    IN_DOUBT = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run treats messages.

    Args:
        in_doubt: what happens to those that were handed over without an answer.
        keep: whether the file of a message that was sent stays, named `.sent`.
        stop_on_error: whether the first message that fails ends the run.
    """

    schedule: Schedule = field(default_factory=Schedule)
    in_doubt: InDoubt = InDoubt.HOLD
    keep: bool = False
    stop_on_error: bool = False


@dataclass(slots=True)
class Report:
    """What a run came to, so far. Messages are named by their ids."""

    #: Messages that every recipient has, by the word of the server.
    sent: int = 0
    #: Messages that wait for another attempt after this one, as often as that happened.
    deferred: int = 0
    #: Messages that this run looked at before they were due.
    not_due: int = 0
    #: Why a message failed: for good, or because it was tried for long enough.
    failed: dict[str, str] = field(default_factory=dict)
    #: Why it is not known whether a message was sent; they are held.
    in_doubt: dict[str, str] = field(default_factory=dict)
    #: What is wrong with files that were left alone.
    skipped: dict[str, str] = field(default_factory=dict)
    #: Seconds until the first of those that wait is due; None if none waits.
    next_due: float | None = None
    #: Called with this report after each message.
    progress: Callable[[Report], object] | None = field(default=None, repr=False, compare=False)

    @property
    def done(self) -> int:
        """How many messages the run is done with."""
        return self.sent + self.deferred + len(self.failed) + len(self.in_doubt)

    def count(self, state: State, identifier: str, words: str, due_in: float | None = None) -> None:
        """Count one message."""
        self.in_doubt.pop(identifier, None)
        if state is State.SENT:
            self.sent += 1
        elif state is State.DEFERRED:
            self.deferred += 1
            self.note_due(due_in or 0.0)
        elif state is State.FAILED:
            self.failed[identifier] = words
        else:
            self.in_doubt[identifier] = words
        if self.progress is not None:
            self.progress(self)

    def note_due(self, due_in: float) -> None:
        """Note that a message waits so long."""
        if self.next_due is None or due_in < self.next_due:
            self.next_due = max(due_in, 0.0)
