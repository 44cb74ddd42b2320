"""One step at a time, for a program that words its commands and takes their replies by itself."""

from __future__ import annotations

from ..errors import ConnectionLost, ServiceClosing
from ..ops import Dialogue, Write, most_heard
from ..phase import Phase
from ..reply import Reply
from ..session import Session
from .exchange import hear_last_words, read_reply, write

__all__ = ["hear", "say"]


def say(session: Session, data: bytes) -> Dialogue[None]:
    """Send what the program worded.

    One line is a command, which one reply answers. Of anything else only the program knows.

    Raises:
        ConnectionLost, TimedOut: it cannot be sent; the session is over.
        ProtocolError: bytes of the server are here that answer nothing.
    """
    if data.count(b"\n") == 1:
        yield from write(session, data, Phase.COMMAND)
        return
    session.free = True
    try:
        yield Write(data, session.deadline(Phase.COMMAND), most_heard(data.count(b"\n")))
    except ConnectionLost as lost:
        yield from hear_last_words(session, lost)
        raise lost.at(Phase.COMMAND) from lost.__cause__


def hear(session: Session) -> Dialogue[Reply]:
    """Wait for the next reply, whatever it says; the server closes behind a 421.

    Raises:
        ConnectionLost, TimedOut, ProtocolError: there is no reply; the session is over.
    """
    if not session.untaken:
        # The greeting, and replies to what the program wrote past this package.
        session.expect(Phase.COMMAND)
    try:
        reply = yield from read_reply(session)
    except ServiceClosing as closing:
        reply = closing.reply
    session.free = session.free and session.has_more
    return reply
