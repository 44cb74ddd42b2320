"""One command and its reply: the step that every procedure is made of."""

from __future__ import annotations

from ..errors import ConnectionLost, ServiceClosing, SessionError, SMTPSError
from ..events import ConnectionStatus, Direction, PITrail
from ..ops import Deadline, Dialogue, Emit, Poll, Read, Write, most_heard
from ..phase import Phase
from ..reply import Reply
from ..session import Session

__all__ = [
    "check_quiet",
    "exchange",
    "gain",
    "read_replies",
    "read_reply",
    "remark",
    "reset",
    "tell_status",
    "write",
]

# What the server said before it closed is here already or never comes.
_LAST_WORDS = Deadline(1.0)
# Where a 421 is an ordinary refusal, or no news.
_SAID_ANYWAY = (Phase.GREETING, Phase.QUIT)


def exchange(
    session: Session, line: bytes, phase: Phase, *, shown: bytes | None = None
) -> Dialogue[Reply]:
    """Send one command line and wait for its reply.

    Args:
        shown: what PITrail says in place of a line that holds a secret.

    Raises:
        ConnectionLost, TimedOut, ProtocolError: there is no reply; the session is over.
    """
    yield from write(session, line, phase, shown=shown)
    return (yield from read_reply(session))


def write(
    session: Session,
    lines: bytes | memoryview,
    *phases: Phase,
    shown: bytes | None = None,
) -> Dialogue[None]:
    """Send command lines, one for each of `phases`; their replies are read later."""
    session.expect(*phases)
    if session.trail:
        for line in (shown or bytes(lines)).splitlines():
            yield Emit(PITrail(Direction.CLIENT, line.decode(errors="backslashreplace")))
    try:
        yield Write(lines, session.deadline(phases[0]), most_heard(session.awaits))
    except ConnectionLost as lost:
        yield from hear_last_words(session, lost)
        lost.at(phases[0])
        raise
    except SessionError as error:
        error.at(phases[0])
        raise


def read_reply(session: Session) -> Dialogue[Reply]:
    """Wait for the reply to the oldest command that is not answered.

    Raises:
        ServiceClosing: it is a 421, behind which no other reply comes. RFC 5321, section 3.8.
        ConnectionLost, TimedOut, ProtocolError: there is no reply; the session is over.
    """
    replies: list[Reply] = []
    yield from read_replies(session, 1, replies)
    return replies[0]


def read_replies(session: Session, count: int, replies: list[Reply]) -> Dialogue[None]:
    """Wait for the replies to so many commands, the oldest that are not answered.

    Args:
        replies: takes them; where an error ends it, those before that.

    Raises:
        ServiceClosing, ConnectionLost, TimedOut, ProtocolError: as `read_reply`.
    """
    trail = session.trail
    for _ in range(count):
        phase = session.phase
        while (reply := session.take()) is None:
            try:
                data = yield Read(session.deadline(phase))
            except SessionError as error:
                error.at(phase)
                raise
            session.receive(data)
        if trail:
            for line in reply.raw.split("\r\n"):
                yield Emit(PITrail(Direction.SERVER, line))
        if reply.code == 421 and phase not in _SAID_ANYWAY:
            session.over = True
            raise ServiceClosing(reply, phase=phase)
        replies.append(reply)


def check_quiet(session: Session, phase: Phase) -> Dialogue[None]:
    """Look for bytes that arrived unasked, so that no command is paired with an old reply.

    Raises:
        ConnectionLost: the server closed while the session was idle, or said that it will.
        ProtocolError: it sent something else.
    """
    data = yield Poll()
    if data is not None:
        try:
            session.receive(data)
        except ConnectionLost as lost:
            lost.at(phase)
            raise
    session.refuse_unasked(phase)


def reset(session: Session) -> Dialogue[bool]:
    """End whatever transaction is open, so that it lends its sender and recipients to no other.

    Never fails: what became of the message is known by now, and the session may be lost.

    Returns:
        Whether the session can go on.
    """
    try:
        answer = yield from exchange(session, b"RSET\r\n", Phase.RSET)
    except (SessionError, ServiceClosing):
        session.over = True
    else:
        session.over = not answer.positive
    return not session.over


def hear_last_words(session: Session, lost: ConnectionLost) -> Dialogue[None]:
    """Read what the server said before it closed; a 421 or 552 explains more than a broken pipe."""
    try:
        while session.awaits > 0:
            session.receive((yield Read(_LAST_WORDS)))
    except SessionError:
        pass  # The connection is lost in any case; `lost` is what the caller hears of.
    replies = []
    try:
        while (reply := session.take()) is not None:
            replies.append(reply)
    except SessionError:
        pass  # Nonsense behind them explains nothing.
    refusals = [reply for reply in replies if not reply.positive]
    lost.reply = session.farewell or (refusals[-1] if refusals else None)


def remark(session: Session, message: str) -> Dialogue[None]:
    """Tell PITrail something that neither side said."""
    if session.trail:
        yield Emit(PITrail(Direction.INFO, message))


def gain(session: Session, layer: str) -> Dialogue[None]:
    """Note a layer of the connection that is up, to be told again when it goes."""
    session.layers.append(layer)
    yield from tell_status(session, f"{layer} Connect")


def tell_status(session: Session, event: str, error: SMTPSError | None = None) -> Dialogue[None]:
    """Tell that a layer of the connection came up or went down, and why if it broke."""
    if ConnectionStatus in session.heard:
        code, words = (error.code, str(error)) if error is not None else (0, "OK")
        yield Emit(ConnectionStatus(event, code, words))
