"""Single commands that a program asks for: its own, VRFY, EXPN; and a look at what has arrived."""

from __future__ import annotations

import re

from ..controls import refuse_controls, require_text
from ..errors import (
    BadValue,
    CommandRefused,
    ServiceClosing,
    SessionError,
    SMTPSError,
    TimedOut,
)
from ..events import Expand
from ..ops import Deadline, Dialogue, Emit, Poll, Read, Sleep
from ..phase import Phase
from ..reply import Reply
from ..session import Session
from ..wire.commands import build_command
from .closing import close_session
from .exchange import exchange
from .opening import open_session

__all__ = ["PAUSE", "command", "expand", "heed", "listen", "verify"]

#: How long `listen` waits for something to happen, in seconds.
PAUSE = 0.02

# A reply to these is followed by bytes that this package has to know of.
_OTHER_WAYS = {
    "STARTTLS": "set ssl_start_mode instead",
    "DATA": "content is sent by send()",
    "BDAT": "content is sent by send()",
    "AUTH": "set user and password instead",
}
_OPENS_TRANSACTION = frozenset({"MAIL", "RCPT", "SEND", "SOML", "SAML"})
_ENDS_TRANSACTION = frozenset({"RSET", "EHLO", "HELO"})
# EXPN's replies: "250-Ann <a@b>" or a bare address, perhaps behind an enhanced status.
_enhanced = re.compile(r"[245]\.\d{1,3}\.\d{1,3} +").match


def command(session: Session, line: str) -> Dialogue[Reply]:
    """Send a line of the program's own and wait for the reply.

    Raises:
        BadValue: it is empty, could end before its end, or is a command with a way of its own.
        CommandRefused: the server said no; the session goes on.
    """
    verb = require_text("command", line).split(" ", 1)[0].upper()
    if not verb:
        raise BadValue("command", "empty; write a command such as NOOP")
    if verb in _OTHER_WAYS:
        raise BadValue("command", f"{verb} cannot be sent by itself; {_OTHER_WAYS[verb]}")
    refuse_controls("command", line)
    reply = yield from _ask(session, build_command(line))
    if reply.positive and verb in _ENDS_TRANSACTION:
        session.touched = False
    session.touched = session.touched or verb in _OPENS_TRANSACTION
    if verb == "QUIT" and reply.positive:
        session.resting = False
        yield from close_session(session)
    if not reply.positive:
        raise CommandRefused(f"{verb} was refused", reply)
    return reply


def verify(session: Session, address: str) -> Dialogue[Reply]:
    """Ask whether the server knows a mailbox. RFC 5321, section 3.5.

    Raises:
        CommandRefused: it does not, or does not say.
    """
    return (yield from _look_up(session, "VRFY", address))


def expand(session: Session, name: str) -> Dialogue[list[str]]:
    """Ask for the members of a mailing list, and tell each.

    Raises:
        CommandRefused: there is no such list, or the server does not say.
    """
    reply = yield from _look_up(session, "EXPN", name)
    members = []
    for number, line in enumerate(reply.lines):
        status = _enhanced(line) if number == 0 or reply.enhanced else None
        member = line[status.end() if status else 0 :].strip()
        if member:
            members.append(member)
            yield Emit(Expand(member))
    return members


def listen(session: Session) -> Dialogue[None]:
    """Wait a moment for bytes of the server; a session that it ended is closed. Never fails."""
    if not session.connected:
        yield Sleep(PAUSE)
        return
    try:
        session.receive((yield Read(Deadline(idle=PAUSE))))
        session.refuse_unasked(Phase.IDLE)
    except TimedOut:
        return
    except SMTPSError as error:
        session.resting = False
        yield from close_session(session, error)


def heed(session: Session) -> Dialogue[None]:
    """Close a session that the server has ended meanwhile. Does not wait, and never fails."""
    try:
        data = yield Poll()
        if data is not None:
            session.receive(data)
            session.refuse_unasked(Phase.IDLE)
    except SMTPSError as error:
        session.resting = False
        yield from close_session(session, error)


def _look_up(session: Session, verb: str, argument: str) -> Dialogue[Reply]:
    """Send VRFY or EXPN over the session that is up, or over one of its own."""
    if not require_text("email_address", argument).strip():
        raise BadValue("email_address", "empty; name a mailbox or a list")
    refuse_controls("email_address", argument)
    data = build_command(verb, argument)
    opened_here = not session.connected
    if opened_here:
        yield from open_session(session)
    if not argument.isascii() and session.capabilities.smtputf8:
        # RFC 6531 3.7.4.2: such an argument needs the parameter.
        data = build_command(verb, argument, "SMTPUTF8")
    reply = yield from _ask(session, data)
    if opened_here:
        yield from close_session(session)
    if not reply.positive:
        raise CommandRefused(f"{verb} was refused", reply)
    return reply


def _ask(session: Session, line: bytes) -> Dialogue[Reply]:
    """Exchange one command; the session rests afterwards, or it is over."""
    session.resting = False
    try:
        reply = yield from exchange(session, line, Phase.COMMAND)
    except (SessionError, ServiceClosing) as error:
        yield from close_session(session, error)
        raise
    session.resting = not session.over
    return reply
