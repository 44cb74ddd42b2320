"""Submit one message: open a session if there is none, deliver, and leave it as it was found."""

from __future__ import annotations

from ..errors import SMTPSError
from ..events import Error
from ..ops import Dialogue, Emit
from ..receipt import Receipt
from ..session import Session
from ..watching import watched
from .closing import close_session
from .command import command
from .opening import open_session
from .portions import deliver_to_all
from .transaction import Transaction

__all__ = ["submit"]


@watched("send")
def submit(session: Session, transaction: Transaction) -> Dialogue[Receipt]:
    """Deliver over the session that is up, or over one of its own.

    Raises:
        SMTPSError: no session could be opened, or the server cannot carry the message; nothing
            was sent. What happens after that is in the receipt.
    """
    try:
        return (yield from _submit(session, transaction))
    finally:
        transaction.close()


def _submit(session: Session, transaction: Transaction) -> Dialogue[Receipt]:
    opened_here = not session.connected
    if opened_here:
        yield from open_session(session)
    if session.touched:
        # What a command of the program left open must lend nothing to this message.
        yield from command(session, "RSET")
    for address in transaction.omitted(session.capabilities):
        sentence = f"<{address}>: the server does not offer DSN; the options were left out"
        yield Emit(Error(161, sentence))
    try:
        receipt = yield from deliver_to_all(session, transaction)
    except SMTPSError:
        if opened_here:
            yield from close_session(session)
        raise
    if not receipt.ok and receipt.accepted:
        for result in receipt.results:
            if result.reply is not None and not result.reply.positive:
                yield Emit(Error(161, f"<{result.address}> was refused: {result.reply}"))
    if receipt.error is not None and receipt.error.reply is not None:
        # Not what was answered to the commands behind it, and to the RSET that it led to.
        session.last_reply = receipt.error.reply
    if opened_here or not session.resting:
        yield from close_session(session, receipt.error)
    return receipt
