"""Deliver to more recipients than a server takes for one message.

RFC 5321, section 4.5.3.1.10: a server that has enough of them answers 452, and the rest is sent to
in a transaction of its own. With LIMITS (RFC 9422) it says beforehand how many it takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import RecipientsRefused, SMTPSError
from ..letter import is_crowded
from ..ops import Dialogue
from ..receipt import Outcome, Receipt, RecipientResult
from ..session import Session
from .closing import close_session
from .delivery import deliver
from .opening import open_session
from .transaction import Transaction

__all__ = ["deliver_to_all", "domains_of"]


def deliver_to_all(
    session: Session, transaction: Transaction, *, careful: bool = False
) -> Dialogue[Receipt]:
    """Deliver in as many transactions as the server makes of it, and give one receipt.

    A message whose recipients must all be taken is not parted among those, and content that can be
    read only once is sent once: then the receipt says who was deferred, or not sent to.
    Where the server takes few domains over one connection, others are made for the others.

    Args:
        careful: as `deliver` has it.

    Raises:
        NotOffered, AddressError, TooLarge, OSError: as `deliver`.
        SMTPSError: a connection that had to be made for the first of them was not; nothing was
            sent.
    """
    everyone = list(range(len(transaction.addresses)))
    if _needs_another(session, transaction):
        yield from _reconnect(session)
    places, waiting = _part(session, transaction, everyone)
    portion = transaction.portion(places) if waiting else transaction
    receipt = yield from _deliver(session, portion, careful)
    if not waiting and not _crowded_out(portion, receipt):
        return receipt
    receipts = [receipt]
    results = dict(zip(places, receipt.results, strict=True))
    while True:
        crowded = [places[own] for own in _crowded_out(portion, receipts[-1])]
        waiting = [*crowded, *waiting]
        if not waiting or not _goes_on(session, portion, receipts[-1]):
            break
        places, later = _part(session, transaction, waiting)
        if not places:
            try:
                yield from _reconnect(session)
            except SMTPSError as error:
                receipts.append(transaction.portion(waiting, portion.content).stopped(error))
                break
            places, later = _part(session, transaction, waiting)
        waiting = later
        portion = transaction.portion(places, portion.content)
        receipts.append((yield from _deliver(session, portion, careful)))
        results.update(zip(places, receipts[-1].results, strict=True))
    return _joined(transaction, receipts, results)


def _deliver(session: Session, portion: Transaction, careful: bool) -> Dialogue[Receipt]:
    if session.capabilities.limits.rcpt_domains is not None:
        session.domains |= domains_of(portion.addresses)
    return (yield from deliver(session, portion, careful=careful))


def domains_of(addresses: Iterable[str]) -> set[str]:
    """Give the domains, as they are compared, to which mail for these addresses goes."""
    return {address.rpartition("@")[2].lower() for address in addresses}


def _needs_another(session: Session, transaction: Transaction) -> bool:
    """Whether a new connection takes more of its domains than this one. RFC 9422, section 4.3."""
    most = session.capabilities.limits.rcpt_domains
    if most is None or not session.domains:
        return False
    return len(session.domains | domains_of(transaction.addresses)) > most


def _reconnect(session: Session) -> Dialogue[None]:
    yield from close_session(session)
    try:
        yield from open_session(session)
    except SMTPSError as error:
        yield from close_session(session, error)
        raise


def _part(
    session: Session, transaction: Transaction, places: list[int]
) -> tuple[list[int], list[int]]:
    """Give the places of those to begin with, and of those beyond what the server takes."""
    limits = session.capabilities.limits
    most = limits.rcpt or len(places)
    # Those who are required go together, so that one refusal can still stop the message.
    together = max(transaction.required, default=-1)
    if limits.rcpt_domains is None:
        return (places, []) if together >= most else (places[:most], places[most:])
    domains = set(session.domains)
    first: list[int] = []
    for place in places:
        wider = domains | domains_of([transaction.addresses[place]])
        if len(first) < most and len(wider) <= limits.rcpt_domains:
            domains = wider
            first.append(place)
    if not transaction.required.isdisjoint(set(places) - set(first)):
        return places, []
    return first, [place for place in places if place not in set(first)]


def _crowded_out(portion: Transaction, receipt: Receipt) -> list[int]:
    """Give the places of those who were refused because there were enough before them."""
    crowded = [place for place, reply in enumerate(portion.rcpt_replies) if is_crowded(reply)]
    return crowded if receipt.accepted else []


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
