"""Send content as chunks of a known size, without an end mark to look for. RFC 3030."""

from __future__ import annotations

from ..errors import ProtocolError
from ..ops import Dialogue
from ..phase import Phase
from ..reply import Reply
from ..session import Session
from ..tray import Tray
from .exchange import read_reply, write
from .progress import Progress

__all__ = ["send_chunks"]

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
    tray = Tray(_CHUNK, _MARGIN)
    for _ in transaction.content.pour(tray):
        # A full tray is never the last one: something follows.
        yield from _send(session, tray, Phase.CONTENT)
        refusal = yield from _hear(session, most)
        if refusal is not None:
            return refusal
    refusal = yield from _hear(session, 0)
    if refusal is not None:
        return refusal
    transaction.handed_over = True
    yield from _send(session, tray, Phase.FINAL)
    return (yield from read_reply(session))


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
