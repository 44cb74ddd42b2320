"""Deliver to more recipients than a server takes for one message.

RFC 5321, section 4.5.3.1.10: a server that has enough of them answers 452, and the rest is sent to
in a transaction of its own. With LIMITS (RFC 9422) it says beforehand how many it takes.
"""

from __future__ import annotations

from ..errors import RecipientsRefused
from ..ops import Dialogue
from ..receipt import Outcome, Receipt, RecipientResult
from ..reply import Reply
from ..session import Session
from .delivery import deliver
from .transaction import Transaction

__all__ = ["deliver_to_all"]


def deliver_to_all(
    session: Session, transaction: Transaction, *, careful: bool = False
) -> Dialogue[Receipt]:
    """Deliver in as many transactions as the server makes of it, and give one receipt.

    A message whose recipients must all be taken is not parted among those, and content that can be
    read only once is sent once: then the receipt says who was deferred, or not sent to.

    Args:
        careful: as `deliver` has it.

    Raises:
        NotOffered, AddressError, TooLarge, OSError: as `deliver`.
    """
    most = session.capabilities.limits.rcpt or len(transaction.envelope.recipients)
    places, waiting = _part(transaction, most)
    portion = transaction.portion(places) if waiting else transaction
    receipt = yield from deliver(session, portion, careful=careful)
    if not waiting and not _crowded_out(portion, receipt):
        return receipt
    receipts = [receipt]
    results = dict(zip(places, receipt.results, strict=True))
    while True:
        crowded = [places[own] for own in _crowded_out(portion, receipts[-1])]
        waiting = [*crowded, *waiting]
        if not waiting or not _goes_on(session, portion, receipts[-1]):
            break
        places, waiting = waiting[:most], waiting[most:]
        portion = transaction.portion(places, portion.content)
        receipts.append((yield from deliver(session, portion, careful=careful)))
        results.update(zip(places, receipts[-1].results, strict=True))
    return _joined(transaction, receipts, results)


def _part(transaction: Transaction, most: int) -> tuple[list[int], list[int]]:
    """Give the places of those to begin with, and of those beyond what the server takes."""
    places = list(range(len(transaction.envelope.recipients)))
    # Those who are required go together, so that one refusal can still stop the message.
    if max(transaction.required, default=-1) >= most:
        return places, []
    return places[:most], places[most:]


def _crowded_out(portion: Transaction, receipt: Receipt) -> list[int]:
    """Give the places of those who were refused because there were enough before them."""
    if not receipt.accepted:
        return []
    return [place for place, reply in enumerate(portion.rcpt_replies) if _is_crowded(reply)]


def _is_crowded(reply: Reply) -> bool:
    # 452 without more can also be a full disk; once more does no harm. Some say 552 instead.
    return (reply.code, reply.enhanced) in ((452, None), (452, "4.5.3"), (552, "5.5.3"))


def _goes_on(session: Session, portion: Transaction, receipt: Receipt) -> bool:
    fits = receipt.error is None or isinstance(receipt.error, RecipientsRefused)
    stopped = bool(portion.required_refused)
    return session.resting and fits and not stopped and portion.content.can_repeat


def _joined(
    transaction: Transaction, receipts: list[Receipt], results: dict[int, RecipientResult]
) -> Receipt:
    """Make one receipt of all; who was not asked was not sent to."""
    taken = [receipt for receipt in receipts if receipt.accepted]
    last = receipts[-1].error
    error = None if taken and isinstance(last, RecipientsRefused) else last
    return Receipt(
        transaction.index,
        transaction.message_id,
        transaction.envelope.sender,
        tuple(
            results.get(place) or RecipientResult(recipient.address, Outcome.NOT_SENT)
            for place, recipient in enumerate(transaction.envelope.recipients)
        ),
        (taken or receipts)[0].reply,
        error,
    )
