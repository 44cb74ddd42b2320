"""Work through a queue: recover what the dead have left, then claim, hand out and settle."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..dialogue.transaction import Transaction
from ..errors import Interrupted, ServiceClosing, SessionError, SMTPSError
from ..events import Error
from ..receipt import Outcome, Receipt
from .claim import Claim, Refused, take
from .folder import Folder, failing
from .history import Attempt, Standing
from .inflight import Suspects
from .names import QUEUED, SENDING, is_safe
from .rules import Report, Rules, State
from .settle import Settled, finish, settle
from .store import sweep

__all__ = [
    "Answer",
    "Work",
    "claim_one",
    "claims",
    "deliver_claims",
    "deliver_each",
    "passes",
    "recover",
    "sort_out",
    "tally",
]

#: What became of a transaction that was handed out: its receipt, or why it could not even begin.
Answer: TypeAlias = Receipt | SMTPSError
#: Hands out transactions and events; takes an answer for each transaction.
Work: TypeAlias = Generator[Transaction | Error, Answer | None, Report]

# How many names of a large folder are held at a time.
_PASS = 65536


def deliver_each(
    folder: Folder,
    rules: Rules,
    report: Report,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Work:
    """Work through the queue message by message, each written down before and after.

    Whoever runs this sends each transaction and gives back the answer. Closing the generator, or
    an exception thrown in, ends the run: what was not handed over goes back, what was stays.

    Args:
        is_stopping: asked before each message whether the run is to end.

    Raises:
        QueueFolderError: the folder cannot be worked on.
    """
    yield from recover(folder, rules, report)
    found = claims(folder, rules, report)
    yield from deliver_claims(found, rules, report, is_stopping)
    return report


def deliver_claims(
    found_ones: Iterable[Claim | Error],
    rules: Rules,
    report: Report,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Work:
    """Hand out claims one by one, as `deliver_each` does."""
    line = _Line()
    for found in found_ones:
        if isinstance(found, Error):
            yield found
        else:
            try:
                settled = yield from _deliver(found, rules, line)
                tally(report, found, settled)
            finally:
                found.close()
            yield from _tell(found.id, settled)
        if is_stopping() or (rules.stop_on_error and report.failed):
            break
    return report


@dataclass(slots=True)
class _Line:
    """The connection that the run has."""

    #: Whether anything was delivered since it came up.
    has_delivered: bool = False


def _deliver(
    claim: Claim, rules: Rules, line: _Line
) -> Generator[Transaction | Error, Answer | None, Settled]:
    """Hand out one message, again where its connection was simply used up."""
    places = claim.progress.having(Standing.WAITING)
    try:
        answer = yield claim.transaction()
        if _was_not_sent(answer) and line.has_delivered:
            # Many servers take only so many messages a connection; that is not its fault.
            line.has_delivered = False
            answer = yield claim.transaction()
    except BaseException:
        claim.release()
        raise
    assert answer is not None
    if isinstance(answer, SMTPSError):
        # This server cannot carry it; no byte of it was sent.
        return settle(claim, Attempt.same(places, Outcome.REFUSED, str(answer)), rules)
    line.has_delivered = line.has_delivered or bool(answer.accepted)
    stopped = _interruption(answer)
    if stopped is not None and _was_not_sent(answer):
        claim.release()
    else:
        settled = settle(claim, Attempt.of(answer, places), rules)
    if stopped is not None:
        raise stopped
    return settled


def _was_not_sent(answer: Answer | None) -> bool:
    """Tell whether the connection was lost before the message reached the server."""
    return (
        isinstance(answer, Receipt)
        and isinstance(answer.error, SessionError | ServiceClosing)
        and all(result.outcome is Outcome.NOT_SENT for result in answer.results)
    )


def _interruption(receipt: Receipt) -> Interrupted | None:
    """Give the interruption that ended an attempt, if one did."""
    for error in (receipt.error, receipt.error and receipt.error.__cause__):
        if isinstance(error, Interrupted):
            return error
    return None


def claims(folder: Folder, rules: Rules, report: Report) -> Iterator[Claim | Error]:
    """Claim what is queued and due, the oldest first, one by one; tell what cannot be used.

    Messages that are queued behind the last one meanwhile are found too.
    """
    for names in passes(folder, QUEUED):
        for name in names:
            yield from claim_one(folder, name, rules, report)
            if rules.stop_on_error and report.failed:
                return
    with failing(folder.path, "listing the folder"):
        folder.check()


def passes(folder: Folder, extension: str) -> Iterator[list[str]]:
    """Give the names with an extension in their order, so many at a time."""
    after = ""
    while True:
        with failing(folder.path, "listing the folder"):
            names = folder.oldest(extension, after=after, limit=_PASS)
        yield names
        if len(names) < _PASS:
            return
        after = names[-1]


def claim_one(folder: Folder, name: str, rules: Rules, report: Report) -> Iterator[Claim | Error]:
    """Claim one message if it is one, and due, and nobody's; tell if its file cannot be used."""
    if not is_safe(name):
        report.skipped[_shown(name)] = "not a name of this queue"
        yield Error(302, f"{_shown(name)}{QUEUED}: left alone, not a name of this queue")
        return
    yield from sort_out(name, take(folder, name, rules.schedule), rules, report)


def sort_out(
    name: str, found: Claim | Refused, rules: Rules, report: Report
) -> Iterator[Claim | Error]:
    """Give a claim to be sent, or tell why there is none."""
    if isinstance(found, Claim):
        yield from _ready(found, rules, report)
    elif found.damaged:
        report.count(State.FAILED, name, found.damaged)
        yield Error(302, f"{name}: {found.damaged}")
    elif found.foreign:
        report.skipped[name] = found.foreign
        yield Error(302, f"{name}{QUEUED}: left alone, {found.foreign}")
    elif found.due_in:
        report.not_due += 1
        report.note_due(found.due_in)


def _ready(claim: Claim, rules: Rules, report: Report) -> Iterator[Claim | Error]:
    """Give a claim to be sent, unless its history says otherwise: a power cut undoes renames."""
    progress = claim.progress
    if not progress.open and progress.having(Standing.WAITING):
        yield claim
        return
    try:
        settled = _recover(claim, rules)
        if settled.state is State.DEFERRED:
            claim.move(SENDING)
        else:
            tally(report, claim, settled)
    except BaseException:
        claim.close()
        raise
    if settled.state is State.DEFERRED:
        yield claim
    else:
        claim.close()
        yield from _tell(claim.id, settled)


def recover(folder: Folder, rules: Rules, report: Report) -> Iterator[Error]:
    """Settle what workers that died have left, and what is held in doubt, by the present rules."""
    with failing(folder.path, "removing what dead writers left"):
        sweep(folder)
    looked_at: list[Suspects] = []
    for names in passes(folder, SENDING):
        # After the names: what is `.sending` was written down before it became that.
        with failing(folder.path, "reading what was in flight"):
            suspects = Suspects(folder)
            looked_at.append(suspects)
        for name in filter(is_safe, names):
            found = take(folder, name, None, SENDING)
            if isinstance(found, Claim):
                try:
                    settled = _recover(found, rules, name in suspects)
                    if settled.state is not State.DEFERRED:
                        tally(report, found, settled)
                finally:
                    found.close()
                yield from _tell(name, settled)
            elif found.damaged:
                report.count(State.FAILED, name, found.damaged)
                yield Error(302, f"{name}: {found.damaged}")
    with failing(folder.path, "removing what was in flight"):
        for suspects in looked_at:
            suspects.clear()


def _recover(claim: Claim, rules: Rules, is_suspect: bool = False) -> Settled:
    progress = claim.progress
    doubtful = list(progress.open)
    why = "handed over, and the worker ended before the answer came"
    if not doubtful and is_suspect:
        doubtful = progress.having(Standing.WAITING)
        why = "on its way when the machine stopped"
    if doubtful:
        claim.note({"event": "in doubt", "to": doubtful, "why": why})
    return finish(claim, rules)


def tally(report: Report, claim: Claim, settled: Settled) -> None:
    """Count what became of a claim."""
    report.count(settled.state, claim.id, settled.words, settled.due_in)


def _tell(identifier: str, settled: Settled) -> Iterator[Error]:
    if settled.state is State.FAILED:
        yield Error(161, f"{identifier}: failed: {settled.words}")
    elif settled.state is State.IN_DOUBT:
        yield Error(161, f"{identifier}: held in doubt: {settled.words}")


def _shown(name: str) -> str:
    """Show a name that may hold anything, in one line."""
    return os.fsencode(name).decode("ascii", "backslashreplace").encode("unicode_escape").decode()
