"""The events: what a connection tells the program while it works. They decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["HANDLERS", "Direction", "Error", "PITrail"]


class Direction(IntEnum):
    """Who said it."""

    CLIENT = 0
    SERVER = 1
    INFO = 2


@dataclass(frozen=True, slots=True)
class PITrail:
    """One line of the session, without its line end; never content, never a secret."""

    direction: Direction
    message: str


@dataclass(frozen=True, slots=True)
class Error:
    """A problem that did not stop the message, such as a recipient that was refused."""

    error_code: int
    description: str


#: The attribute of the component that holds the handler of each event.
HANDLERS: dict[type, str] = {Error: "on_error", PITrail: "on_pi_trail"}
