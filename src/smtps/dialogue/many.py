"""Send many messages, over as many sessions as it takes, one after the other."""

from __future__ import annotations

from time import monotonic

from ..errors import Interrupted, NotConnected, SMTPSError, SourceFailed
from ..letter import Remainder
from ..ops import Dialogue, Sleep
from ..receipt import Outcome, Receipt
from ..session import Session
from ..watching import watched
from .bulk import carry_window, give
from .closing import close_session
from .command import command
from .manners import manners_of, may_pipeline
from .opening import ask_again, open_session
from .pace import Pace
from .portions import deliver_to_all
from .work import Job, Work

__all__ = ["send_all"]

# Connections in a row that deliver nothing until the rest is given up.
_MOST_FRUITLESS = 3
# How long to wait before the next connection when the last one was of no use, in seconds.
_PAUSE = 0.1
# For how long a connection without a message waits for its share of a rate, in seconds.
_LONGEST = 60.0
# How many items are asked for at a time when each goes alone, and when all is given up.
_FEW = 16
_DECIDED = {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.DEFERRED}


@watched("send_many")
def send_all(
    session: Session, work: Work, window: int | None, *, keep: bool = False
) -> Dialogue[None]:
    """Send everything, and give a receipt for each message.

    A connection that was there is used, and left as it was found if it lasts. Messages that were
    surely not taken when a connection broke go out over another one, as long as connections deliver
    anything.

    Args:
        keep: whether a connection that was made here stays.

    Raises:
        SMTPSError: the first session could not be opened; nothing was sent.
        Interrupted: `interrupt` was called; whatever was begun has its receipt.
        Exception: what the program's own iterator raised, once all that it gave has receipts.
    """
    was_open = session.connected
    if not was_open:
        yield from open_session(session)
    elif session.touched:
        # What a command of the program left open must lend nothing to these messages.
        yield from command(session, "RSET")
    fruitless = 0
    error: SMTPSError | None = None
    while True:
        before = work.progress
        if error is None:
            error = yield from _carry(session, work, Pace(window, fresh=fruitless == 0))
        if work.finished:
            break
        # Without an error the connection has carried all that it may.
        fruitless = 0 if error is None or work.progress > before else fruitless + 1
        if fruitless >= _MOST_FRUITLESS and error is not None:
            yield from _give_up(session, work, error)
            break
        if fruitless:
            work.put_first_last()
        error = yield from _reopen(session, error, fruitless)
    if not (was_open or keep) or not session.resting:
        yield from close_session(session, error)
    if work.failure is not None:
        raise work.failure


def _carry(session: Session, work: Work, pace: Pace) -> Dialogue[SMTPSError | None]:
    """Send over one session until nothing is left or it is over, and tell what ended it."""
    error: SMTPSError | None = None
    if not (session.capabilities.pipelining and session.capabilities.chunking):
        yield from ask_again(session)
    manners = manners_of(session)
    session.most_learned = manners.most_messages
    before = work.progress
    pace.is_strict = manners.breaks_off
    while error is None:
        yield from work.refill(_FEW, wait=True)
        if not work.at_hand:
            if work.exhausted:
                break
            yield Sleep(work.pause(_LONGEST))
            continue
        if session.room == 0:
            manners.lasted()
            break
        # Another connection may have been made meanwhile for a message to other domains.
        work.capabilities, work.domains = session.capabilities, session.domains
        is_alone = work.is_odd or session.is_lmtp
        if is_alone or pace.careful or not may_pipeline(session):
            error = yield from _carry_one(session, work, pace)
        else:
            error = yield from carry_window(session, work, pace)
        if not session.resting:
            error = error or NotConnected()
    if error is not None and pace.setbacks:
        manners.breaks_off = True
    elif pace.is_dismissed or (error is not None and _says_421(error)):
        manners.ended(work.progress - before)
    if isinstance(error, Interrupted):
        raise error
    return error


def _says_421(error: SMTPSError) -> bool:
    return error.reply is not None and error.reply.code == 421


def _carry_one(session: Session, work: Work, pace: Pace) -> Dialogue[SMTPSError | None]:
    """Send the next message in a transaction of its own, and tell what ended the session."""
    job = work.next()
    try:
        transaction = work.transaction(job)
    except Exception as error:
        yield from give(session, [work.failed(job, error)])
        return None
    begun = monotonic()
    try:
        receipt = yield from deliver_to_all(session, transaction, careful=True)
    except Exception as error:
        failure = SourceFailed.of(error)
        yield from give(session, [_whole(job, transaction.stopped(failure))])
        return None if session.resting else failure
    finally:
        transaction.close()
    session.meter.reading += monotonic() - begun
    session.meter.heard(1, monotonic() - begun)
    outcomes = {result.outcome for result in receipt.results}
    if session.resting:
        pace.took_one(taken=Outcome.ACCEPTED in outcomes)
    elif outcomes == {Outcome.NOT_SENT} and transaction.content.can_repeat:
        work.take_back([job])
        return receipt.error
    work.progress += bool(outcomes & _DECIDED)
    yield from give(session, [_whole(job, receipt)])
    return None if session.resting else receipt.error


def _whole(job: Job, receipt: Receipt) -> Receipt:
    """Give the receipt of all recipients, where the job was for the rest of them."""
    return job.joined(receipt) if isinstance(job, Remainder) else receipt


def _reopen(
    session: Session, error: SMTPSError | None, fruitless: int
) -> Dialogue[SMTPSError | None]:
    """Make another connection in place of one that is over, and tell why there is none."""
    yield from close_session(session, error)
    if fruitless:
        yield Sleep(_PAUSE * 2 ** (fruitless - 1))
    try:
        yield from open_session(session)
    except Interrupted:
        raise
    except SMTPSError as failure:
        yield from close_session(session, failure)
        return failure
    return None


def _give_up(session: Session, work: Work, error: SMTPSError) -> Dialogue[None]:
    """Give the receipts of all that is left, none of which was sent, unless others can send it."""
    if work.hand_over():
        return
    while not work.finished:
        yield from work.refill(_FEW, wait=True)
        receipts: list[Receipt] = []
        while work.at_hand:
            receipts.append(work.unsent(work.next(), error))
        yield from give(session, receipts)
