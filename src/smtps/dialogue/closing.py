"""Close a session: QUIT and what may go wrong with it. RFC 5321, section 4.1.1.10."""

from __future__ import annotations

from ..errors import SMTPSError
from ..ops import Close, Dialogue
from ..phase import Phase
from ..session import Session
from .exchange import exchange, tell_status

__all__ = ["close_session"]


def close_session(
    session: Session, error: SMTPSError | None = None, *, asked: bool = False
) -> Dialogue[None]:
    """Say QUIT if the session rests, and close. Never fails: every outcome is known by now.

    Args:
        error: what ended the session, if it did not end by itself; ConnectionStatus names it.
        asked: whether the program asked for QUIT, and so for the reply to it; else `last_reply`
            stays what the method heard that ends with it.
    """
    heard = session.last_reply
    if session.resting:
        session.resting = False
        try:
            yield from exchange(session, b"QUIT\r\n", Phase.QUIT)
        except SMTPSError:
            pass  # A peer that is gone, hangs or says nonsense at QUIT changes nothing.
        error = None
        if not asked:
            session.last_reply = heard
    yield Close()
    session.ended_by = error
    layers = session.layers
    session.reset()
    for layer in reversed(layers):
        yield from tell_status(session, f"{layer} Disconnect", error)
