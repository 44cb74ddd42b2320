"""What was learned of servers: how each stands commands that come before it has answered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from ..forks import after_fork
from ..session import Session

__all__ = ["Manners", "forget", "manners_of", "may_pipeline"]

# Servers are repaired; what they did is forgotten after so many seconds.
_REMEMBERED = 3600.0
_MOST_HOSTS = 256
# Numbers of messages that differ by less than this part of them are taken for the same.
_ALIKE = 10
# A connection that was not ended lets the next one carry this part more.
_GROWTH = 10


@dataclass(slots=True)
class Manners:
    """What one server did."""

    #: It announces PIPELINING and answered out of step, so it is asked one command after another.
    breaks_pipelining: bool = False
    #: It closed after refusals, so it is given few.
    breaks_off: bool = False
    #: How many messages a connection carried when the server last ended one, and how many the next
    #: ones carry at most; None as long as the server does not count.
    ended_after: int = 0
    most_messages: int | None = None
    #: When this is to be forgotten.
    until: float = field(default_factory=lambda: monotonic() + _REMEMBERED)

    def ended(self, carried: int) -> None:
        """Note that the server ended a connection with a 421 after so many messages.

        Twice in a row after about as many, it is the number that it does not want.
        """
        if carried and abs(carried - self.ended_after) * _ALIKE <= carried:
            self.most_messages = min(carried, self.ended_after)
        self.ended_after = carried

    def lasted(self) -> None:
        """Note that a connection carried what it may and was not ended; try a little more."""
        if self.most_messages is not None:
            self.most_messages += max(1, self.most_messages // _GROWTH)


_known: OrderedDict[tuple[str, int], Manners] = OrderedDict()
_lock = Lock()


def _unlock() -> None:
    global _lock
    _lock = Lock()


after_fork(_unlock)


def manners_of(session: Session) -> Manners:
    """Give what is known of the server of a session, to be read and to be added to."""
    key = session.options.mail_server, session.options.mail_port
    with _lock:
        manners = _known.get(key)
        if manners is None or manners.until < monotonic():
            manners = _known[key] = Manners()
            if len(_known) > _MOST_HOSTS:
                _known.popitem(last=False)
        return manners


def may_pipeline(session: Session) -> bool:
    """Whether this server may be sent commands before it has answered earlier ones."""
    return session.capabilities.pipelining and not manners_of(session).breaks_pipelining


def forget() -> None:
    """Forget what was learned of every server."""
    with _lock:
        _known.clear()
