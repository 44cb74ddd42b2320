"""What connections do, for those who watch: telemetry, and the journal that writes log records.

Nothing is made where nobody watches: an operation is then the bare dialogue that it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from time import monotonic
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from .enumerations import Protocol as Spoken
from .enumerations import SSLStartMode
from .journal import journal
from .ops import Dialogue
from .receipt import Receipt

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Operation", "Watcher", "tell_closed", "tell_receipts", "unwatch", "watch", "watched"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Operation:
    """Something that takes a while on one connection.

    `name` is "socket", "secure", "authenticate", "connect" (which holds the three before), "send"
    or "send_many". The addresses of people and what they write are never in it.
    """

    name: str
    session: Session
    #: What it is a part of.
    parent: Operation | None
    begun: float = field(default_factory=monotonic)
    #: Seconds, once it has ended.
    seconds: float = 0.0
    #: What ended it, if it failed.
    error: BaseException | None = None
    #: How many messages have their receipts.
    receipts: int = 0
    #: What each watcher keeps for it.
    kept: dict[Watcher, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The relay's name."""
        return self.session.options.mail_server

    @property
    def port(self) -> int:
        """The relay's port."""
        return self.session.options.mail_port

    @property
    def scheme(self) -> str:
        """What is spoken: "smtp", "smtps" where TLS comes first, or "lmtp"."""
        return scheme_of(self.session)

    @property
    def peer(self) -> str:
        """The address of the other end, if there is one yet."""
        local = self.session.local
        return local.peer_address if local is not None else ""


def scheme_of(session: Session) -> str:
    """Name what is spoken."""
    if session.options.protocol is Spoken.LMTP:
        return "lmtp"
    return "smtps" if session.options.start_mode is SSLStartMode.IMPLICIT else "smtp"


class Watcher(Protocol):
    """Someone who is told. It must not raise, and not wait."""

    def began(self, operation: Operation) -> None:
        """An operation begins."""

    def ended(self, operation: Operation) -> None:
        """It has ended, well or not."""

    def gave(self, operation: Operation, receipts: list[Receipt]) -> None:
        """Messages have their receipts."""

    def closed(self, session: Session, seconds: float) -> None:
        """A connection that was up is no more; `session.ended_by` is what broke it, if it broke."""


_watchers: tuple[Watcher, ...] = ()


def watch(watcher: Watcher) -> None:
    """Tell someone of all that begins from now on."""
    global _watchers
    _watchers = (*_watchers, watcher)


def unwatch(watcher: Watcher) -> None:
    """Tell someone no more."""
    global _watchers
    _watchers = tuple(one for one in _watchers if one is not watcher)


def _present() -> tuple[Watcher, ...]:
    return (*_watchers, journal) if journal.is_read() else _watchers


def watched(
    name: str,
) -> Callable[
    [Callable[Concatenate[Session, P], Dialogue[T]]],
    Callable[Concatenate[Session, P], Dialogue[T]],
]:
    """Make a dialogue an operation that can be watched."""

    def decorate(
        dialogue: Callable[Concatenate[Session, P], Dialogue[T]],
    ) -> Callable[Concatenate[Session, P], Dialogue[T]]:
        @wraps(dialogue)
        def begin(session: Session, *arguments: P.args, **named: P.kwargs) -> Dialogue[T]:
            steps = dialogue(session, *arguments, **named)
            present = _present()
            return _watch(present, name, session, steps) if present else steps

        return cast("Callable[Concatenate[Session, P], Dialogue[T]]", begin)

    return decorate


def _watch(
    present: tuple[Watcher, ...], name: str, session: Session, steps: Dialogue[T]
) -> Dialogue[T]:
    operation = Operation(name, session, session.operation)
    session.operation = operation
    for watcher in present:
        watcher.began(operation)
    try:
        result = yield from steps
        if name == "connect":
            session.since = monotonic()
        if isinstance(result, Receipt):
            operation.error = None if result.ok else result.error
            _gave(present, operation, [result])
        return result
    except BaseException as error:
        operation.error = error
        raise
    finally:
        session.operation = operation.parent
        operation.seconds = monotonic() - operation.begun
        for watcher in present:
            watcher.ended(operation)


def tell_receipts(session: Session, receipts: list[Receipt]) -> None:
    """Tell of the receipts of `send_many`."""
    operation = session.operation
    if operation is not None:
        _gave(_present(), operation, receipts)


def _gave(present: tuple[Watcher, ...], operation: Operation, receipts: list[Receipt]) -> None:
    operation.receipts += len(receipts)
    for watcher in present:
        watcher.gave(operation, receipts)


def tell_closed(session: Session) -> None:
    """Tell that a connection is no more, if it was told that it was up."""
    if session.since is not None:
        seconds, session.since = monotonic() - session.since, None
        for watcher in _present():
            watcher.closed(session, seconds)
    session.ended_by = None
