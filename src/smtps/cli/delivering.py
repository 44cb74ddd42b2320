"""Send what `send` has to send, and say what became of it, whatever gets in the way."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from contextlib import nullcontext

from ..client import SMTPS
from ..items import Item
from ..pool import Pool
from ..receipt import Receipt
from .exits import CANTCREAT, INTERRUPTED, OK, Failure
from .progress import Progress
from .sending import Ending, send_each
from .tally import LOST, Records, Tally, facts_of, lost_facts, sentences
from .terminal import as_json, complain, say

__all__ = ["Delivery"]


class Delivery:
    """One call of `send`.

    Messages that were begun are awaited, and counted, even where it can no longer be written down
    what became of them.

    Args:
        total: how many messages there are.
    """

    def __init__(self, total: int, records: Records, arguments: argparse.Namespace) -> None:
        self._total = total
        self._records = records
        self._first_row: int = arguments.first_row
        self._is_mailing = arguments.mailing is not None
        self._is_many = total > 1 or self._is_mailing
        self._as_json: bool = arguments.json
        self._tally, self._ending = Tally(), Ending()
        self._known: set[int] = set()
        self._bar: Progress | None = None
        #: What could not be written: the file of receipts, and standard output.
        self._unrecorded: Failure | None = None
        self._is_mute = False

    def run(self, relay: SMTPS | Pool, items: Iterable[Item]) -> int:
        """Send all, say what became of it, and give the exit status.

        Raises:
            SMTPSError: no session could be opened; nothing was sent.
        """
        begun = time.monotonic()
        with Progress(self._total, "messages") if self._is_many else nullcontext() as self._bar:
            send_each(relay, items, self._ending, self._take)
        seconds = time.monotonic() - begun
        if self._ending.forced:
            for index in range(self._ending.begun):
                if index not in self._known:
                    self._lose(self._first_row + index)
        self._sum_up(seconds)
        return self._status

    @property
    def _left(self) -> int:
        return self._total - self._ending.begun

    @property
    def _status(self) -> int:
        if self._unrecorded is not None:
            return self._unrecorded.status
        if self._ending.forced or (self._ending.wished and self._left):
            return INTERRUPTED
        return self._tally.status if self._tally.status != OK or not self._is_mute else CANTCREAT

    # --- one message ------------------------------------------------------------------------------

    def _take(self, receipt: Receipt) -> None:
        row = self._first_row + receipt.index
        self._known.add(receipt.index)
        self._tally.add(receipt, row)
        self._record(receipt, row)
        if self._as_json:
            self._tell(as_json(facts_of(receipt, row)))
        elif not self._is_mailing:
            # Of a mailing the problems are told at its end.
            self._tell(*sentences(receipt))
        if self._bar is not None:
            self._bar.advance()

    def _lose(self, row: int) -> None:
        self._tally.lose(1)
        self._record(None, row)
        if self._as_json:
            self._tell(as_json(lost_facts(row)))
        elif not self._is_mailing:
            which = f"message {row} " if self._is_many else ""
            self._tell(f"{which}perhaps sent: {LOST}")

    def _record(self, receipt: Receipt | None, row: int) -> None:
        """Write a receipt down; where there is no room for more, begin no more messages."""
        if self._unrecorded is not None:
            return
        try:
            if receipt is None:
                self._records.lose(row)
            else:
                self._records.add(receipt, row)
        except Failure as failure:
            self._unrecorded = failure
            self._ending.wished = True
            complain(f"{failure}; what is on its way is awaited, and no more is begun")

    def _tell(self, *lines: str) -> None:
        """Print lines of the result. Where nobody reads them any more, the mail goes out still."""
        if self._is_mute:
            return
        try:
            for line in lines:
                say(line)
        except (BrokenPipeError, Failure) as error:
            self._is_mute = True
            reason = "nobody reads it" if isinstance(error, BrokenPipeError) else error
            complain(f"standard output: {reason}; what was to be sent is sent all the same")

    # --- the end ----------------------------------------------------------------------------------

    def _sum_up(self, seconds: float) -> None:
        if self._as_json:
            facts = {**self._tally.facts(), "left": self._left, "seconds": round(seconds, 3)}
            self._tell(as_json({"totals": facts}))
        elif self._is_many:
            pace = len(self._known) / max(seconds, 1e-9)
            totals = f"{self._tally}; {seconds:,.1f} s, {pace:,.0f} messages/s"
            problems = self._tally.problems if self._is_mailing else []
            self._tell(totals, *(f"  {line}" for line in problems))
            if self._is_mute:
                complain(totals)
        if self._ending.wished:
            self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        begun, left = self._ending.begun, self._left
        why = "ended" if self._unrecorded is not None else "interrupted"
        if not begun:
            complain(f"{why}; nothing was sent")
        elif left:
            way = f"; go on with --first-row {self._first_row + begun}" if self._is_mailing else ""
            complain(f"{why}; {left:,} of {self._total:,} were not begun{way}")
        elif self._ending.forced:
            complain(why)
