"""What follows from an attempt, or from what a worker that died has left."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from ..enumerations import InDoubt
from ..receipt import Outcome
from .claim import Claim
from .failures import QueueFolderError
from .history import Attempt, Standing
from .names import QUEUED, SENT
from .rules import Rules, State

__all__ = ["Settled", "finish", "settle"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claim; its file has been renamed or removed accordingly."""

    state: State
    #: Why, if it was not simply sent.
    words: str = ""
    due_in: float | None = None


_SENT = Settled(State.SENT)


def settle(claim: Claim, attempt: Attempt, rules: Rules, *, sync: bool = True) -> Settled:
    """Write down what an attempt came to, and move the file on.

    Args:
        sync: whether it is on the disk when this returns. Without it only what a later attempt
            depends on is; the caller syncs the folder before it claims more.

    Raises:
        QueueFolderError: it could not be written down; the claim stays as it is.
    """
    taken = all(outcome is Outcome.ACCEPTED for _, outcome, _ in attempt.results)
    standings = claim.progress.standings
    if taken and not rules.keep and standings.count(Standing.WAITING) == len(standings):
        # The ordinary case: nobody is left who would read a history.
        try:
            return _leave(claim, sync)
        except QueueFolderError:
            claim.note_attempt(attempt, wait=0, waited=0, sync=False)
            raise
    attempt, wait, waited = _judge(claim, attempt, rules)
    claim.note_attempt(attempt, wait=wait, waited=waited, sync=sync or not taken)
    return finish(claim, rules, sync=sync)


def finish(claim: Claim, rules: Rules, *, sync: bool = True) -> Settled:
    """Move a file on by what its history says."""
    progress = claim.progress
    doubtful = progress.having(Standing.IN_DOUBT)
    if doubtful and rules.in_doubt is not InDoubt.HOLD:
        resend = rules.in_doubt is InDoubt.RESEND
        standing = Standing.WAITING if resend else Standing.ACCEPTED
        claim.note({"event": "resolved", "as": standing.value}, sync=sync)
        doubtful = []
    waiting = progress.having(Standing.WAITING)
    if waiting:
        claim.move(QUEUED)
        _sync(claim, sync)
        due_in = progress.at + progress.wait - time.time() if progress.attempts else 0.0
        return Settled(State.DEFERRED, _words(claim, waiting), due_in)
    if doubtful:
        return Settled(State.IN_DOUBT, _words(claim, doubtful))
    refused = [
        place
        for place in progress.having(Standing.REFUSED)
        # A copy that nobody knows of fails without failing the message.
        if claim.entry.addressees[place].kind != "BCc" or claim.entry.addressees[place].required
    ]
    if refused or not progress.having(Standing.ACCEPTED):
        words = _words(claim, refused or range(len(progress.words)))
        claim.fail(words)
        _sync(claim, sync)
        return Settled(State.FAILED, words)
    if not rules.keep:
        return _leave(claim, sync)
    claim.move(SENT)
    _sync(claim, sync)
    return _SENT


def _leave(claim: Claim, sync: bool) -> Settled:
    claim.remove()
    _sync(claim, sync)
    return _SENT


def _sync(claim: Claim, sync: bool) -> None:
    if sync:
        claim.sync_folder()


def _judge(claim: Claim, attempt: Attempt, rules: Rules) -> tuple[Attempt, float, float]:
    """Decide what deferred recipients come to, and how long they wait."""
    progress, schedule = claim.progress, rules.schedule
    now = time.time()
    waited = 0.0
    if progress.attempts:
        waited = schedule.add(progress.waited, now - progress.at, progress.wait)
    refused = [
        words
        for place, outcome, words in attempt.results
        if outcome is Outcome.REFUSED and claim.entry.addressees[place].required
    ]
    if refused:
        # All or none: what the others were not sent, they will not be.
        attempt = _give_up(attempt, f"not sent, since a recipient was refused: {refused[0]}")
    elif schedule.is_over(waited) and any(outcome in _WAITS for _, outcome, _ in attempt.results):
        tries = progress.attempts + 1
        last = next(words for _, outcome, words in attempt.results if outcome in _WAITS)
        days = f"{waited / 86400:.1f} days"
        attempt = _give_up(attempt, f"given up after {tries} attempts in {days}: {last}")
    wait = 0.0
    if any(outcome in _WAITS for _, outcome, _ in attempt.results):
        wait = schedule.delay(progress.attempts + 1, random.random())
    return attempt, wait, waited


_WAITS = (Outcome.DEFERRED, Outcome.NOT_SENT)


def _give_up(attempt: Attempt, why: str) -> Attempt:
    return Attempt(
        tuple(
            (place, Outcome.REFUSED, why) if outcome in _WAITS else (place, outcome, words)
            for place, outcome, words in attempt.results
        )
    )


def _words(claim: Claim, places: list[int] | range) -> str:
    """Say what the server said, of each recipient, once for all where it is the same."""
    said: dict[str, list[str]] = {}
    for place in places:
        address = claim.entry.addressees[place].recipient.address
        said.setdefault(claim.progress.words[place], []).append(f"<{address}>")
    return "; ".join(f"{', '.join(who)}: {words}" for words, who in said.items())
