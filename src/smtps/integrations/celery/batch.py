"""Sending the messages of one task: at the shared rate, claimed before and settled after."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from celery.exceptions import SoftTimeLimitExceeded

from ...dialogue.transaction import Transaction
from ...errors import SMTPSError
from ...items import Item
from ...pool import Pool
from ...receipt import Receipt
from .accounts import HOPELESS, Account
from .arguments import Parcel
from .rate import SharedRate
from .record import BUSY, CLAIMED, Attempt

__all__ = ["Batch"]

# How many messages are claimed in one step, and so may wait, claimed, for a free connection.
_GROUP = 16


@dataclass(slots=True)
class _Sent:
    parcel: Parcel
    account: Account
    addresses: list[str]
    claim: str
    is_settled: bool = False


class Batch:
    """Messages that are sent over one pool, each with an account of what became of it.

    Args:
        attempt: how the record knows this run; None without a record.
    """

    def __init__(
        self,
        parcels: Sequence[tuple[Parcel, Account]],
        pool: Pool,
        *,
        attempt: Attempt | None,
        rate: SharedRate | None,
    ) -> None:
        self._todo = deque(parcels)
        self._pool = pool
        self._attempt = attempt
        self._rate = rate
        self._sent: list[_Sent] = []
        self._pause = 0.0
        #: Why it ended before everything was tried.
        self.error: SMTPSError | None = None

    def run(self) -> None:
        """Send everything, or as much as can be; the accounts tell what became of each message.

        Raises:
            SoftTimeLimitExceeded: the time is up. What was in flight is in doubt.
        """
        while self._todo and self.error is None:
            self._pause = 0.0
            self._round()
            if self._pause and self.error is None:
                time.sleep(self._pause)
        if self.error is not None:
            for _, account in self._todo:
                account.stop(self.error)

    def _round(self) -> None:
        """Send until nothing is left, or the rate says wait; then nothing is in flight."""
        self._sent = []
        receipts = self._receipts()
        try:
            for receipt in receipts:
                self._settle(self._sent[receipt.index], receipt)
        except SMTPSError as error:
            # What was begun has its receipt.
            self.error = error
        except SoftTimeLimitExceeded:
            receipts.close()
            for sent in self._sent:
                if not sent.is_settled:
                    self._write(sent, sent.account.doubt(sent.addresses))
            raise
        for sent in self._sent:
            if not sent.is_settled:
                self._let_go(sent)

    def _receipts(self) -> Generator[Receipt]:
        if len(self._todo) == 1:
            # One message needs one connection.
            return self._alone()
        receipts = self._pool.send_many(cast("Iterator[Item]", self._claimed()))
        return cast("Generator[Receipt]", receipts)

    def _alone(self) -> Generator[Receipt]:
        for transaction in self._claimed():
            yield self._receipt(transaction)

    def _receipt(self, transaction: Transaction) -> Receipt:
        try:
            return self._pool.send(cast("Item", transaction))
        except SMTPSError as error:
            if error.receipt is not None:
                return error.receipt
            if isinstance(error, HOPELESS):
                return Receipt(0, None, "", (), None, error)
            raise

    # --- before -----------------------------------------------------------------------------------

    def _claimed(self) -> Iterator[Transaction]:
        """Give what may be sent now; end where the rate wants a pause, for none waits claimed."""
        while self._todo:
            count = min(len(self._todo), _GROUP)
            if self._rate is not None:
                count, self._pause = self._rate.take(count)
            if not count:
                return
            group = [self._todo.popleft() for _ in range(count)]
            try:
                claimed = self._claim(group)
            except BaseException:
                self._todo.extendleft(reversed(group))
                raise
            # Those that are not asked for any more are known here too.
            self._sent += claimed
            if self._rate is not None:
                self._rate.give_back(count - len(claimed))
            for sent in claimed:
                yield sent.parcel.portion(sent.addresses)

    def _claim(self, group: list[tuple[Parcel, Account]]) -> list[_Sent]:
        if self._attempt is None:
            return [_Sent(parcel, account, account.waiting, "") for parcel, account in group]
        wanted = [(parcel.key, account.waiting) for parcel, account in group]
        claim, answers = self._attempt.claim(wanted)
        claimed = []
        for (parcel, account), (_, addresses), found in zip(group, wanted, answers, strict=True):
            free = []
            for address, answer in zip(addresses, found, strict=True):
                if answer == CLAIMED:
                    free.append(address)
                elif answer == BUSY:
                    account.is_busy = True
                else:
                    account.recall(address, answer)
            if free:
                claimed.append(_Sent(parcel, account, free, claim))
        return claimed

    # --- after ------------------------------------------------------------------------------------

    def _settle(self, sent: _Sent, receipt: Receipt) -> None:
        self._write(sent, sent.account.settle(receipt, sent.addresses))

    def _let_go(self, sent: _Sent) -> None:
        """Free what was claimed and surely not sent."""
        if self.error is None:
            self.error = SMTPSError(162, "the connections were lost before it was sent")
        sent.account.stop(self.error)
        self._write(sent, dict.fromkeys(sent.addresses, ""))

    def _write(self, sent: _Sent, words: dict[str, str]) -> None:
        sent.is_settled = True
        if self._attempt is not None:
            self._attempt.settle(sent.parcel.key, sent.claim, words)
