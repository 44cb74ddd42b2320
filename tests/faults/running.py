"""Run cells of the fault matrix, and check of each what holds for all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Any

from smtps import Envelope, Outcome, Receipt, SMTPSError
from smtps.testing.certificates import default_certificate
from tests.faults.expected import expected
from tests.faults.peer import Peer
from tests.faults.plan import Cell, Place
from tests.support.fronts import Front

__all__ = ["Observed", "observe", "observe_all"]

# How long the client waits where silence is the fault; elsewhere nothing ends by the clock.
_SHORT, _LONG = (0.2, 1.0, 3.0), 60.0
# No cell may take longer, whatever the peer does.
_MOST_SECONDS = 30.0
_WORKERS = 12
_SMALL = b"Subject: x\r\n\r\n.dots\r\n..\r\nend\r\n"
# More than fits into the buffers of both systems.
_LARGE = b"Subject: x\r\n\r\n" + b"one line of a text that is long\r\n" * 12_000


@dataclass(frozen=True)
class Observed:
    """What the caller got to know."""

    #: The name of the error, or "" where nothing failed.
    error: str
    retryable: bool
    session_usable: bool
    #: What became of each recipient of the message that was struck; empty if there was none.
    outcomes: tuple[Outcome, ...]

    def __str__(self) -> str:
        words = ", ".join(dict.fromkeys(outcome.value for outcome in self.outcomes))
        if len(set(self.outcomes)) > 1:
            words = " + ".join(outcome.value for outcome in self.outcomes)
        if not self.error:
            return words or "nothing fails"
        marks = ("↻" if self.retryable else "") + ("" if self.session_usable else "✕")
        return f"{self.error} {marks}".strip() + (f": {words}" if words else "")


def observe_all(
    cells: Iterable[Cell], kind: str, *, reply: str = ""
) -> Iterator[tuple[Cell, Observed]]:
    """Run cells at the same time, and give each with what it brought."""
    default_certificate()
    with ThreadPoolExecutor(_WORKERS) as pool:
        wanted = list(cells)
        yield from zip(
            wanted, pool.map(lambda cell: observe(cell, kind, reply), wanted), strict=True
        )


def observe(cell: Cell, kind: str, reply: str = "") -> Observed:
    """Run one cell on one front.

    Where the machine was so slow that the client gave up elsewhere, it is run again with more time.

    Args:
        reply: what the server says in place of the fault's own reply.
    """
    if not cell.fault.is_silent:
        return _observe(cell, kind, reply, _LONG)
    for seconds in _SHORT[:-1]:
        with contextlib.suppress(AssertionError, SMTPSError):
            observed = _observe(cell, kind, reply, seconds)
            if str(observed) in expected(cell).split(" or "):
                return observed
    return _observe(cell, kind, reply, _SHORT[-1])


def _observe(cell: Cell, kind: str, reply: str, seconds: float) -> Observed:
    begun = monotonic()
    with Peer(cell, reply) as peer, Front(kind) as front:
        smtp = front.at(_url(cell, peer, seconds))
        observed = (_send_many if cell.way.many else _send)(cell, front, smtp, peer)
        front.disconnect(smtp)
    assert monotonic() - begun < _MOST_SECONDS, cell
    assert peer.struck.is_set() or cell.place is Place.CONNECT, f"no fault: {cell}"
    if cell.under_tls:
        assert set(peer.clear) <= {"EHLO", "LHLO", "STARTTLS", "QUIT"}, (cell, peer.clear)
    return observed


def _url(cell: Cell, peer: Peer, seconds: float) -> str:
    url = f"{peer.url}&timeout={seconds}&final_timeout={seconds}&quit_timeout={seconds}"
    if cell.fault.name == "drip":
        url += "&absolute_timeout=true"
    if cell.place is Place.CONTENT:
        url += "&out_buffer_size=8192"
    return url


def _item(cell: Cell, number: int) -> tuple[Envelope, bytes]:
    content = _LARGE if number == 2 and cell.place is Place.CONTENT else _SMALL
    envelope = Envelope("ann@a.example", [f"bob{number}@b.example", f"eve{number}@b.example"])
    return envelope, content


def _send(cell: Cell, front: Front, smtp: Any, peer: Peer) -> Observed:
    """Connect, send two messages of which the second is struck, and disconnect."""
    receipts: dict[int, Receipt] = {}
    error: SMTPSError | None = None
    try:
        front.connect(smtp)
        receipts[1] = front.send(smtp, _item(cell, 1))
        if cell.place is Place.BETWEEN:
            peer.rest.set()
            assert peer.struck.wait(10)
        receipts[2] = front.send(smtp, _item(cell, 2))
        error = receipts[2].error
        front.disconnect(smtp)
    except SMTPSError as failed:
        error = failed
        if failed.receipt is not None:
            receipts[2] = failed.receipt
    if error is not None:
        assert smtp.connected is error.session_usable, (cell, error)
    if cell.place is not Place.CONNECT:
        # The next one goes out, over the same connection or over a new one.
        receipts[3] = front.send(smtp, _item(cell, 3))
        assert receipts[3].ok, (cell, receipts[3])
    _check_account(cell, peer, receipts)
    return _observed(error, receipts.get(2))


def _send_many(cell: Cell, front: Front, smtp: Any, peer: Peer) -> Observed:
    """Connect, send three messages of which the second is struck, and disconnect."""
    front.connect(smtp)
    got = front.send_many(smtp, [_item(cell, number) for number in (1, 2, 3)])
    front.disconnect(smtp)
    receipts = {receipt.index + 1: receipt for receipt in got}
    assert sorted(receipts) == [1, 2, 3], (cell, got)
    assert receipts[1].ok, (cell, receipts[1])
    _check_account(cell, peer, receipts)
    return _observed(receipts[2].error, receipts[2])


def _check_account(cell: Cell, peer: Peer, receipts: dict[int, Receipt]) -> None:
    """Hold what the client believes of every recipient against what the peer took."""
    allowed = {Outcome.ACCEPTED: {1}, Outcome.UNKNOWN: {0, 1}}
    for receipt in receipts.values():
        for result in receipt.results:
            copies = sum(result.address in taken for taken, _ in peer.taken)
            assert copies in allowed.get(result.outcome, {0}), (cell, result, copies)
    for taken, content in peer.taken:
        assert not taken or content in (_SMALL, _LARGE), (cell, taken, len(content))


def _observed(error: SMTPSError | None, receipt: Receipt | None) -> Observed:
    outcomes = tuple(result.outcome for result in receipt.results) if receipt else ()
    if error is None:
        return Observed("", False, True, outcomes)
    name = type(error).__name__
    return Observed(name, error.retryable, error.session_usable, outcomes)
