"""Sending the messages of one task: at the shared rate, claimed before and settled after."""

from __future__ import annotations

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
from .accounts import Account
from .arguments import Parcel
from .rate import Pace
from .record import BUSY, CLAIMED, Attempt

__all__ = ["Batch"]


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
        pool: one whose throttle is a `Pace`.
        attempt: how the record knows this run; None without a record.
    """

    def __init__(
        self, parcels: Sequence[tuple[Parcel, Account]], pool: Pool, attempt: Attempt | None
    ) -> None:
        self._todo = deque(parcels)
        self._pool = pool
        self._pace = cast("Pace", pool._throttle)
        self._attempt = attempt
        self._sent: list[_Sent] = []
        self._given = 0
        #: Why it ended before everything was tried.
        self.error: SMTPSError | None = None

    def run(self) -> None:
        """Send everything, or as much as can be; the accounts tell what became of each message.

        Raises:
            SoftTimeLimitExceeded: the time is up. What was in flight is in doubt.
        """
        receipts = cast("Generator[Receipt]", self._pool.send_many(cast("Iterator[Item]", self)))
        try:
            for receipt in receipts:
                self._settle(self._sent[receipt.index], receipt)
        except SMTPSError as error:
            # What was begun has its receipt.
            self.error = error
        except SoftTimeLimitExceeded:
            receipts.close()
            for sent in self._sent[: self._given]:
                if not sent.is_settled:
                    self._write(sent, sent.account.doubt(sent.addresses))
            for sent in self._sent[self._given :]:
                self._write(sent, dict.fromkeys(sent.addresses, ""))
            raise
        for sent in self._sent:
            if not sent.is_settled:
                self._let_go(sent)
        if self.error is not None:
            for _, account in self._todo:
                account.stop(self.error)

    # --- before -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        # A pool has no use for more connections than messages.
        return len(self._todo) + len(self._sent) - self._given

    def __iter__(self) -> Iterator[Transaction]:
        return self

    def __next__(self) -> Transaction:
        """Claim what the pool is to send next; more than one where nothing holds it back."""
        self._pace.check()
        while self._given == len(self._sent):
            if not self._todo:
                raise StopIteration
            count = min(len(self._todo), self._pace.group)
            group = [self._todo.popleft() for _ in range(count)]
            try:
                self._sent += self._claim(group)
            except BaseException:
                self._todo.extendleft(reversed(group))
                raise
        sent = self._sent[self._given]
        self._given += 1
        return sent.parcel.portion(sent.addresses)

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
