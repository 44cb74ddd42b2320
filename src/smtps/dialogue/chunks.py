"""Send content as chunks of a known size, without an end mark to look for. RFC 3030."""

from __future__ import annotations

from ..errors import ProtocolError
from ..events import Direction, EndTransfer, StartTransfer, Transfer
from ..ops import Dialogue, Emit
from ..phase import Phase
from ..reply import Reply
from ..session import Session
from ..tray import Tray
from .exchange import read_reply, write
from .progress import Progress

__all__ = ["TRANSFERS", "send_chunks"]

#: The events that tell of progress.
TRANSFERS = frozenset((StartTransfer, Transfer, EndTransfer))

# What is written at a time, and how many chunks may be unanswered behind each other.
_CHUNK = 1 << 18
_MOST_UNANSWERED = 8
# Room for the command before a chunk.
_MARGIN = 40


def send_chunks(session: Session, transaction: Progress) -> Dialogue[Reply]:
    """Send the content, and give the reply that decides: to the last chunk, or a refusal before it.

    The last chunk waits until all others are answered, so that what was refused is not handed over.

    Raises:
        ConnectionLost, TimedOut, ProtocolError, ServiceClosing: the session is over.
        Exception: what the source of the content raises; nothing was handed over, and RSET ends it.
    """
    most = _MOST_UNANSWERED if session.capabilities.pipelining else 0
    content = transaction.content
    meter = _Meter(content.size) if TRANSFERS & session.heard else None
    tray = Tray(_CHUNK, _MARGIN)
    if meter:
        yield Emit(StartTransfer())
    for _ in content.pour(tray):
        # A full tray is never the last one: something follows.
        moved = tray.filled
        yield from _send(session, tray, Phase.CONTENT)
        if meter:
            yield Emit(meter.step(moved))
        refusal = yield from _hear(session, most)
        if refusal is not None:
            return refusal
    refusal = yield from _hear(session, 0)
    if refusal is not None:
        return refusal
    transaction.handed_over = True
    moved = tray.filled
    yield from _send(session, tray, Phase.FINAL)
    if meter:
        yield Emit(meter.step(moved))
        yield Emit(EndTransfer())
    return (yield from read_reply(session))


class _Meter:
    """How much was sent, for those who listen."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._moved = 0

    def step(self, moved: int) -> Transfer:
        self._moved += moved
        percent = 100 * self._moved // self._size if self._size else -1
        return Transfer(Direction.CLIENT, self._moved, min(percent, 100))


def _send(session: Session, tray: Tray, phase: Phase) -> Dialogue[None]:
    command = b"BDAT %d" % tray.filled + (b" LAST" if phase is Phase.FINAL else b"")
    yield from write(session, tray.take(command + b"\r\n"), phase, shown=command)


def _hear(session: Session, most: int) -> Dialogue[Reply | None]:
    """Read replies to chunks until no more than `most` are missing; give a refusal, if one came.

    RFC 3030, section 2: after a chunk that was refused the server refuses the others too.
    """
    refusal: Reply | None = None
    while session.untaken > (0 if refusal else most):
        reply = yield from read_reply(session)
        if not reply.positive:
            refusal = refusal or reply
        elif reply.code != 250 or refusal is not None:
            raise ProtocolError(
                f"expected another reply to a chunk: {reply}", phase=Phase.CONTENT, reply=reply
            )
    return refusal
