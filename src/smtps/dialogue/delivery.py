"""Deliver one message: MAIL, RCPT, DATA, the content, the final reply. RFC 5321, section 3.3."""

from __future__ import annotations

from ..codec import DotStuffer, dot_stuff
from ..errors import (
    ConnectionLost,
    MessageRefused,
    NotOffered,
    ProtocolError,
    RecipientsRefused,
    SenderRefused,
    ServiceClosing,
    SessionError,
    SMTPSError,
)
from ..events import Direction, EndTransfer, PITrail, StartTransfer, Transfer
from ..ops import Dialogue, Emit, Write, most_heard
from ..phase import Phase
from ..receipt import Receipt
from ..reply import Reply
from ..session import Session
from ..wire.content import CHUNK_SIZE, Section
from .chunks import TRANSFERS, send_chunks
from .exchange import (
    check_quiet,
    exchange,
    hear_last_words,
    read_replies,
    read_reply,
    reset,
    write,
)
from .manners import may_pipeline
from .opening import ask_again
from .progress import Progress

__all__ = ["deliver"]

# What MAIL and RCPT are answered by: 250 and, of an address elsewhere, 251 and 252.
_TAKEN = (250, 251, 252)


def deliver(session: Session, transaction: Progress, *, careful: bool = False) -> Dialogue[Receipt]:
    """Carry out one transaction, whatever becomes of it: the receipt says.

    Args:
        careful: whether DATA waits for the replies to the recipients, so that a server that
            refuses them all has no other command to count as an error. The content then goes as
            chunks where the server takes them.

    Afterwards the session rests, or is over (`session.resting` is False) and the caller closes it.

    Raises:
        NotOffered, AddressError, TooLarge: this server cannot carry the message; nothing was sent.
        OSError, or what else the source of the content raises: the session is over, and nothing
            was handed over.
    """
    try:
        mail, rcpts = _commands(session, transaction)
    except NotOffered:
        if not (yield from ask_again(session)):
            raise
        mail, rcpts = _commands(session, transaction)
    session.resting = False
    session.transactions += 1
    try:
        yield from check_quiet(session, Phase.MAIL)
        receipt = yield from _transact(session, transaction, mail, rcpts, careful)
    except (SessionError, ServiceClosing) as error:
        return transaction.broken(error)
    session.resting = not session.over
    return receipt


def _commands(session: Session, transaction: Progress) -> tuple[bytes, list[bytes]]:
    capabilities = session.capabilities
    if session.is_lmtp:
        # Content goes by DATA there, which carries lines alone. RFC 3030, section 3.
        capabilities = capabilities.without("BINARYMIME")
    return transaction.mail(capabilities), transaction.rcpts(capabilities)


def _transact(
    session: Session, transaction: Progress, mail: bytes, rcpts: list[bytes], careful: bool
) -> Dialogue[Receipt]:
    is_lmtp = session.is_lmtp
    if may_pipeline(session):
        # A required recipient may still stop the message, so DATA waits for the replies:
        # after it, an empty message would go to the recipients that were accepted.
        # RFC 2033 4.2: DATA without an accepted recipient has no end that is answered.
        held_back = transaction.required or transaction.content.binary
        early_data = not (held_back or is_lmtp or careful)
        data_reply, error = yield from _send_group(session, transaction, mail, rcpts, early_data)
    else:
        data_reply, error = None, (yield from _send_each(session, transaction, mail, rcpts))
    if error is not None:
        if data_reply is not None and data_reply.code == 354:
            yield from _end_nothing(session)
        return (yield from _give_up(session, transaction, error))
    takes_chunks = careful and session.capabilities.chunking and not is_lmtp
    if transaction.content.binary or (takes_chunks and not TRANSFERS & session.heard):
        return (yield from _deliver_chunks(session, transaction))
    if data_reply is None:
        data_reply = yield from exchange(session, b"DATA\r\n", Phase.DATA)
    if data_reply.code != 354:
        if data_reply.positive:
            raise ProtocolError(
                f"expected 354 to DATA, not: {data_reply}", phase=Phase.DATA, reply=data_reply
            )
        refusal = MessageRefused(data_reply)
        return (yield from _give_up(session, transaction, refusal, data_reply))
    yield from _send_content(session, transaction, transaction.accepted_count if is_lmtp else 1)
    if is_lmtp:
        return (yield from _hear_each(session, transaction))
    final = yield from read_reply(session)
    _check_final(final)
    if final.positive:
        return transaction.taken(final)
    return (yield from _give_up(session, transaction, MessageRefused(final), final))


def _deliver_chunks(session: Session, transaction: Progress) -> Dialogue[Receipt]:
    try:
        final = yield from send_chunks(session, transaction)
    except (SessionError, ServiceClosing):
        raise
    except Exception:
        # Nobody gets half of a message, and the session goes on; DATA could only break it off.
        while session.untaken:
            yield from read_reply(session)
        session.resting = yield from reset(session)
        raise
    _check_final(final)
    if final.positive:
        return transaction.taken(final)
    return (yield from _give_up(session, transaction, MessageRefused(final), final))


def _hear_each(session: Session, transaction: Progress) -> Dialogue[Receipt]:
    """Read one final reply for each accepted recipient, in their order. RFC 2033, section 4.2."""
    for _ in range(transaction.accepted_count):
        try:
            final = yield from read_reply(session)
        except ProtocolError:
            if session.awaits == 0:
                # There is one too many, so nobody can tell which of them is whose.
                transaction.final_replies.clear()
            raise
        _check_final(final)
        transaction.final_replies.append(final)
    return transaction.decided()


def _check_final(final: Reply) -> None:
    if final.positive and final.code != 250:
        raise ProtocolError(
            f"expected 250 to the content, not: {final}", phase=Phase.FINAL, reply=final
        )


def _send_group(
    session: Session, transaction: Progress, mail: bytes, rcpts: list[bytes], early_data: bool
) -> Dialogue[tuple[Reply | None, SMTPSError | None]]:
    """Send MAIL, every RCPT and perhaps DATA in one write, then read the replies. RFC 2920."""
    data = [b"DATA\r\n"] if early_data else []
    phases = [Phase.MAIL, *[Phase.RCPT] * len(rcpts), *[Phase.DATA] * len(data)]
    yield from write(session, b"".join((mail, *rcpts, *data)), *phases)
    replies: list[Reply] = []
    try:
        yield from read_replies(session, len(phases), replies)
    finally:
        transaction.note(replies)
    data_reply = replies[-1] if data else None
    mail_reply = replies[0]
    _check_taken(mail_reply, Phase.MAIL)
    for reply in transaction.rcpt_replies:
        _check_taken(reply, Phase.RCPT)
    if not mail_reply.positive:
        return data_reply, SenderRefused(transaction.sender, mail_reply)
    return data_reply, _recipients_error(transaction)


def _send_each(
    session: Session, transaction: Progress, mail: bytes, rcpts: list[bytes]
) -> Dialogue[SMTPSError | None]:
    """Send MAIL and every RCPT one by one, and stop at the first that decides."""
    mail_reply = transaction.mail_reply = yield from exchange(session, mail, Phase.MAIL)
    _check_taken(mail_reply, Phase.MAIL)
    if not mail_reply.positive:
        return SenderRefused(transaction.sender, mail_reply)
    for rcpt in rcpts:
        reply = yield from exchange(session, rcpt, Phase.RCPT)
        _check_taken(reply, Phase.RCPT)
        transaction.rcpt_replies.append(reply)
        if transaction.required_refused:
            break
    return _recipients_error(transaction)


def _check_taken(reply: Reply, phase: Phase) -> None:
    """Refuse a reply that is positive and belongs to another command: the two are out of step."""
    if reply.positive and reply.code not in _TAKEN:
        raise ProtocolError(f"expected 250, not: {reply}", phase=phase, reply=reply)


def _recipients_error(transaction: Progress) -> SMTPSError | None:
    if transaction.required and (required := transaction.required_refused):
        return RecipientsRefused(required)
    if transaction.any_accepted:
        return None
    return RecipientsRefused(transaction.refused)


def _send_content(session: Session, transaction: Progress, finals: int) -> Dialogue[None]:
    """Send the content and its end. Until the end is written, nothing was handed over.

    Args:
        finals: how many replies answer the end.
    """
    content = transaction.content
    session.expect(*[Phase.FINAL] * finals)
    told = bool(TRANSFERS & session.heard)
    if content.whole is not None and len(content.whole) <= CHUNK_SIZE and not told:
        transaction.handed_over = True
        yield from _send_piece(session, dot_stuff(content.whole), Phase.FINAL)
    else:
        stuffer = DotStuffer()
        for section in content.sections():
            yield from _send_section(session, stuffer, section, told and section.told)
        transaction.handed_over = True
        yield from _send_piece(session, stuffer.finish(), Phase.FINAL)
    if session.trail:
        yield Emit(PITrail(Direction.CLIENT, "."))


def _send_section(
    session: Session, stuffer: DotStuffer, section: Section, told: bool
) -> Dialogue[None]:
    """Send one part of the content, and tell of its progress if anybody listens."""
    moved = 0
    if told:
        yield Emit(StartTransfer())
    for chunk in section.chunks:
        piece = stuffer.update(chunk)
        if piece:
            yield from _send_piece(session, piece, Phase.CONTENT)
        moved += len(chunk)
        if told:
            percent = 100 * moved // section.size if section.size else -1
            yield Emit(Transfer(Direction.CLIENT, moved, min(percent, 100)))
    if told:
        yield Emit(EndTransfer())


def _send_piece(session: Session, piece: bytes, phase: Phase) -> Dialogue[None]:
    # Until the end of the content only its own time counts, not the ten minutes of the reply.
    deadline = session.deadline(Phase.CONTENT)
    try:
        answered = yield Write(piece, deadline, most_heard(session.awaits))
    except ConnectionLost as lost:
        yield from hear_last_words(session, lost)
        lost.at(phase)
        raise
    except SessionError as error:
        error.at(phase)
        raise
    if answered and phase is Phase.CONTENT:
        # The server spoke before the end: it refuses, closes, or is out of step. A reply that
        # is taken for the final one here would hide the one that counts.
        reply = yield from read_reply(session)
        if reply.positive:
            raise ProtocolError(
                "a reply came before the end of the content", phase=phase, reply=reply
            )
        raise ConnectionLost(
            "the server refused before the end of the content", phase=phase, reply=reply
        )


def _end_nothing(session: Session) -> Dialogue[None]:
    """End a DATA that the server allowed although no recipient is left. RFC 2920, section 3.1."""
    yield from exchange(session, b".\r\n", Phase.FINAL)


def _give_up(
    session: Session, transaction: Progress, error: SMTPSError, reply: Reply | None = None
) -> Dialogue[Receipt]:
    """End the transaction, so that it lends its sender and recipients to no other."""
    yield from reset(session)
    return transaction.stopped(error, reply)
