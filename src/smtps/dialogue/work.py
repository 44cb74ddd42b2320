"""What `send_many` still has to send: what came back from a lost connection, then what is new."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias

from ..errors import SMTPSError, SourceFailed
from ..letter import Letter, Remainder
from ..ops import Call, Dialogue
from ..receipt import Receipt
from ..wire.capabilities import Capabilities
from ..wire.content import Content
from ..wire.window import LARGEST, Window
from .portions import domains_of
from .transaction import Transaction

__all__ = ["Job", "Supply", "Work"]

#: A message that can go through a window, the rest of one that went, or the place and the item of
#: one that cannot.
Job: TypeAlias = "Letter | Remainder | tuple[int, Any]"


class Supply(Protocol):
    """Where the items come from."""

    @property
    def exhausted(self) -> bool:
        """Whether there are no more; after an error of the program's own iterator too."""

    @property
    def failure(self) -> BaseException | None:
        """That error, to be raised once every message on its way has its receipt."""

    def pause(self, most: float, /) -> float:
        """Give the seconds until there can be items again, if none were given and more will come.

        Args:
            most: seconds after which something else is to be looked after.
        """

    def adopt(self, jobs: list[Job], /) -> bool:
        """Keep what one connection gives up for others; false if there are none."""

    def end(self) -> None:
        """Note that this connection asks for nothing any more."""

    def adopted(self) -> list[Job]:
        """Give what others have given up, once."""

    def take(
        self, most: int, wait: bool, /
    ) -> tuple[int, list[Any]] | Awaitable[tuple[int, list[Any]]]:
        """Give the items that are at hand, and wait for one if there is none and `wait` is true.

        Returns:
            The place of the first in the caller's input, and the items.
        """


class Work:
    """The messages that are not on their way, in the order in which they will be sent.

    Args:
        prepare: makes the transaction of an item; raises where it cannot be sent.
        draft: makes the letter of an item at once where it can, for its index and a server.
        together: whether a message to more than one must wait for the replies to all of them.
    """

    def __init__(
        self,
        supply: Supply,
        prepare: Callable[[Any], Transaction],
        draft: Callable[[Any, int, Capabilities], Letter | None],
        *,
        together: bool = False,
    ) -> None:
        self._supply = supply
        self._prepare = prepare
        self._draft = draft
        self._together = together
        self._again: deque[Job] = deque()
        self._items: list[Any] = []
        self._place = 0
        #: The index of the item at `_place`.
        self._index = 0
        #: Whether the next message is known to need a transaction of its own, outside of a window.
        self.is_odd = False
        #: What the server takes, for which messages are composed.
        self.capabilities = Capabilities()
        #: To which domains messages went over the present connection, if their number is limited.
        self.domains: set[str] = set()
        #: How many messages a server has answered.
        self.progress = 0

    @property
    def failure(self) -> BaseException | None:
        """What the program's own iterator raised."""
        return self._supply.failure

    @property
    def at_hand(self) -> bool:
        """Whether a message can be sent without asking for one."""
        return bool(self._again) or self._place < len(self._items)

    @property
    def finished(self) -> bool:
        """Whether nothing is left, and nothing will come."""
        return not self.at_hand and self._supply.exhausted

    @property
    def exhausted(self) -> bool:
        """Whether there will be no new items."""
        return self._supply.exhausted

    def pause(self, most: float) -> float:
        """Give the seconds until new items may be asked for again, and at most `most`."""
        return self._supply.pause(most)

    @property
    def most_recipients(self) -> int | None:
        """The most recipients of a message that can go within a window; None for any number."""
        return 1 if self._together else self.capabilities.limits.rcpt

    def refill(self, most: int, *, wait: bool) -> Dialogue[None]:
        """Ask the program for items if none is at hand."""
        self._again.extend(self._supply.adopted())
        if not self.at_hand and not self._supply.exhausted:
            self._index, self._items = yield Call(self._supply.take, (most, wait))
            self._place = 0

    def put_into(self, window: Window, most: int) -> bool:
        """Add what is at hand to a window while it has room.

        Returns:
            Whether the next message needs a transaction of its own: see `is_odd`.
        """
        while window.has_room(most):
            if self._again:
                job = self._again[0]
                if not isinstance(job, Letter) or not self._may_carry(job):
                    self.is_odd = True
                    break
                self._again.popleft()
                window.add_letter(job)
            elif self._place < len(self._items):
                added = 0
                if self.capabilities.limits.rcpt_domains is None:
                    added = window.add(self._items, self._place, self._index, most)
                self._place += added
                self._index += added
                if added == 0 and not self._make_letter(window):
                    self.is_odd = True
                    break
            else:
                break
        return self.is_odd

    def next(self) -> Job:
        """Take the next message out; there must be one at hand."""
        self.is_odd = False
        if self._again:
            return self._again.popleft()
        item = self._items[self._place]
        index = self._index
        self._place += 1
        self._index += 1
        return index, item

    def transaction(self, job: Job) -> Transaction:
        """Make the transaction of a message.

        Raises:
            Exception: it cannot be sent as it is.
        """
        if isinstance(job, Letter):
            transaction = Transaction(
                job.envelope, Content(job.whole), message_id=job.message_id, index=job.number
            )
        elif isinstance(job, Remainder):
            transaction = self.transaction(job.letter).portion(job.places)
        else:
            transaction = self._prepare(job[1])
            transaction.index = job[0]
        return transaction

    def end(self) -> None:
        """Ask for no more items."""
        self._supply.end()

    def hand_over(self) -> bool:
        """Leave what is at hand to other connections, if there are any that go on."""
        jobs: list[Job] = list(self._again)
        jobs += [
            (self._index + number, item) for number, item in enumerate(self._items[self._place :])
        ]
        if not self._supply.adopt(jobs):
            return False
        self._again.clear()
        self._place = len(self._items)
        return True

    def take_back(self, jobs: Sequence[Job]) -> None:
        """Put messages that were surely not taken before everything else, in their order."""
        self._again.extendleft(reversed(jobs))

    def put_first_last(self) -> None:
        """Let the others go before the next message, which the server perhaps cannot stand."""
        self._again.rotate(-1)

    def unsent(self, job: Job, error: SMTPSError) -> Receipt:
        """Make the receipt of a message that surely did not reach the server."""
        if isinstance(job, Letter):
            return job.unsent(error)
        if isinstance(job, Remainder):
            return job.receipt
        index, item = job
        try:
            transaction = self._prepare(item)
        except Exception as failure:
            return self.failed(job, failure)
        transaction.index = index
        return transaction.stopped(error)

    def failed(self, job: Job, error: Exception) -> Receipt:
        """Make the receipt of an item that no transaction could be made of."""
        if isinstance(job, Remainder):
            job = job.letter
        index = job.number if isinstance(job, Letter) else job[0]
        return Receipt(index, None, "", (), None, SourceFailed.of(error))

    def _make_letter(self, window: Window) -> bool:
        """Make a letter of the next item if it can be one, and add it."""
        index, item = self._index, self._items[self._place]
        try:
            letter = self._draft(item, index, self.capabilities) or self._letter_of(item, index)
        except Exception:
            # It fails again where its receipt is made.
            return False
        limit = self.most_recipients
        if letter is None or (limit and len(letter.envelope.addresses) > limit):
            return False
        if len(letter.content) > LARGEST or not self._may_carry(letter):
            return False
        self._place += 1
        self._index += 1
        window.add_letter(letter)
        return True

    def _may_carry(self, letter: Letter) -> bool:
        """Whether the connection takes its domains too; then they count. RFC 9422, section 4.3."""
        most = self.capabilities.limits.rcpt_domains
        if most is None:
            return True
        wider = self.domains | domains_of(letter.envelope.addresses)
        if len(wider) > most:
            return False
        self.domains |= wider
        return True

    def _letter_of(self, item: Any, index: int) -> Letter | None:
        transaction = self._prepare(item)
        if transaction.is_special:
            return None
        whole = transaction.compose(self.capabilities).load(LARGEST)
        if whole is None:
            return None
        return Letter(index, transaction.envelope, whole, transaction.message_id)
