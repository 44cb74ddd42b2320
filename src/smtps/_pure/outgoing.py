"""The half of a window that writes: transactions in one buffer, back to back.

A transaction rides behind one that is not answered only with RSET between them, which costs six
bytes and no round trip: without it a server that keeps a refused transaction open takes the next
one's recipients under the sender of the last (Exim 4.96 does). The last one has RSET behind it too:
its reply tells that no other one to the content can follow.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable
from typing import Literal

from ..envelope import Envelope
from ..errors import SMTPSError, TooLarge
from ..letter import Letter, nul_in
from ..receipt import Receipt
from ..reply import Reply
from .dots import dot_stuff, normalize_newlines

__all__ = ["Outgoing"]

#: The most bytes of a content that is carried in a window; what is larger goes in chunks.
LARGEST = 1 << 20
#: As much is put into one write before it is written.
BATCH = 1 << 18
#: The most that is in flight: bytes, and replies that are awaited.
MOST_BYTES = 1 << 23
MOST_REPLIES = 1 << 14

# What the oldest transaction awaits next.
RSET, MAIL, RCPT, DATA, FINAL = range(5)
_NEVER = sys.maxsize


# An envelope has made sure of that; here nothing could end a line or a path all the same.
_is_safe = re.compile(r"[!-=?-~]*").fullmatch


class Transaction:
    """A letter on its way, and what the server said so far."""

    __slots__ = (
        "accepted", "answered", "begins", "end", "letter", "mail", "nothing", "refusals", "size",
        "stage",
    )  # fmt: skip

    def __init__(self, letter: Letter, stage: int, size: int, end: int) -> None:
        self.letter = letter
        self.stage = stage
        #: Whether RSET was not needed before it.
        self.begins = stage == MAIL
        self.size = size
        #: How far the stream is once the content is written.
        self.end = end
        #: The reply to MAIL, if it was refused.
        self.mail: Reply | None = None
        self.answered = 0
        self.accepted = 0
        self.refusals: dict[int, Reply] = {}
        #: Whether DATA was allowed although no recipient is left, so that no content follows.
        self.nothing = False


class Outgoing:
    """Put messages into a buffer, and keep what is in flight.

    Args:
        form: "BDAT" sends whole transactions back to back (RFC 3030); "DATA" the content of one
            with the commands of the next behind it (RFC 2920, section 3.1).
        prepare: gives MAIL and each RCPT for an envelope that is more than plain addresses, for
            the size of the content and whether it has bytes above 127.
        announces_size: whether MAIL tells the size. RFC 1870.
        size_limit: the most bytes of a content that the server takes; 0 is no limit.
        most_recipients: the most recipients of a message that the server takes; 0 is no limit.
        takes_eight_bits: whether MAIL says so of content with bytes above 127. RFC 6152.
        trail: a list to which each line is added as it is written or taken, for people.
    """

    def __init__(
        self,
        form: Literal["BDAT", "DATA"],
        prepare: Callable[[Envelope, int, bool], tuple[bytes, list[bytes]]],
        *,
        announces_size: bool = False,
        size_limit: int = 0,
        most_recipients: int = 0,
        takes_eight_bits: bool = False,
        trail: list[str | Reply] | None = None,
    ) -> None:
        self._chunked = form == "BDAT"
        self._prepare = prepare
        self._announces_size = announces_size
        self._size_limit = size_limit
        self._most_recipients = most_recipients or sys.maxsize
        self._takes_eight_bits = takes_eight_bits
        self._trail = trail
        self._transactions: deque[Transaction] = deque()
        self._out = bytearray()
        #: The bytes of the stream up to the start of the buffer.
        self._position = 0
        self._receipts: list[Receipt] = []
        #: The transaction whose content was asked for and is not in the buffer yet.
        self._granted: Transaction | None = None
        #: Whether RSET is there for the transaction that comes next, or to end the last.
        self._has_reset = False
        #: Whether the server is known to have no transaction open.
        self._clean = True
        #: The replies that are still to come.
        self.awaits = 0
        #: The bytes that were put into the buffer for what is in flight.
        self.bytes_in_flight = 0

    @property
    def in_flight(self) -> int:
        """How many messages were added and are not answered."""
        return len(self._transactions)

    @property
    def is_clean(self) -> bool:
        """Whether the server has surely no transaction open once all is answered."""
        return self._clean

    @property
    def pending(self) -> int:
        """How many bytes wait to be written."""
        return len(self._out)

    # --- what goes out ----------------------------------------------------------------------------

    def add(self, items: list[object], start: int, index: int, most: int, /) -> int:
        """Add messages to what is to be written, as many as there is room for.

        Stops at an item that is not exactly `(Envelope, bytes)`, is larger than `LARGEST` or has
        too many recipients: such a one is to be made a letter first, or is not for a window.

        Args:
            start: the place in `items` of the first.
            index: its place in the caller's input.
            most: the most messages that may be in flight.

        Returns:
            How many were added, those included that failed before anything was written.
        """
        place = start
        while place < len(items) and self.has_room(most):
            item = items[place]
            if type(item) is not tuple or len(item) != 2:
                break
            envelope, content = item
            if type(envelope) is not Envelope or type(content) is not bytes:
                break
            if len(content) > LARGEST or len(envelope.addresses) > self._most_recipients:
                break
            self.add_letter(Letter(index + place - start, envelope, content))
            place += 1
        return place - start

    def has_room(self, most: int, /) -> bool:
        """Tell whether one more message may be added now."""
        if self._chunked:
            return (
                len(self._transactions) < most
                and len(self._out) < BATCH
                and self.bytes_in_flight < MOST_BYTES
                and self.awaits < MOST_REPLIES
            )
        # Content can only follow the reply to its DATA, so no second one is begun before.
        return not self._transactions or (
            len(self._transactions) == 1
            and most > 1
            and self._transactions[0].stage == FINAL
            and self._granted is None
        )

    def add_letter(self, letter: Letter, /) -> None:
        """Add one message, whether there is room or not."""
        content = normalize_newlines(letter.whole)
        if content and not content.endswith(b"\n"):
            content += b"\r\n"
        size = len(content)
        eight_bit = not content.isascii()
        try:
            if b"\0" in content:
                raise nul_in(letter.whole)
            if self._size_limit and size > self._size_limit:
                raise TooLarge(size, self._size_limit)
            plain = self._plain(letter.envelope, size, eight_bit)
            mail, rcpts = plain or self._prepare(letter.envelope, size, eight_bit)
        except SMTPSError as error:
            self._receipts.append(letter.unsent(error))
            return
        commands = [mail, *rcpts]
        stage = RSET
        if not self._has_reset:
            if self._transactions or not self._clean:
                commands.insert(0, b"RSET\r\n")
            else:
                stage = MAIL
        self._clean = self._has_reset = False
        commands.append(b"BDAT %d LAST\r\n" % size if self._chunked else b"DATA\r\n")
        self.awaits += len(commands)
        for command in commands:
            self._out += command
            self._note(command)
        if self._chunked:
            self._out += content
        end = self._position + len(self._out) if self._chunked else _NEVER
        self.bytes_in_flight += size
        self._transactions.append(Transaction(letter, stage, size, end))

    def outgoing(self) -> bytes:
        """Give what is to be written; `written` must follow.

        Behind content at its end goes RSET.
        """
        if self._out and self._ends_with_content():
            self._out += b"RSET\r\n"
            self._note(b"RSET\r\n")
            self.awaits += 1
            self._has_reset = True
        return bytes(self._out)

    def written(self) -> None:
        """Note that all of it was written."""
        self._position += len(self._out)
        self._out.clear()

    def _ends_with_content(self) -> bool:
        if self._chunked:
            return not self._has_reset
        # With DATA nothing is behind the content that was asked for but the next transaction.
        return len(self._transactions) == 1 and self._transactions[0].stage == FINAL

    def _plain(
        self, envelope: Envelope, size: int, eight_bit: bool
    ) -> tuple[bytes, list[bytes]] | None:
        """Give MAIL and each RCPT of plain addresses, or None if there is more to them."""
        addresses = (envelope.sender, *envelope.addresses)
        if not envelope.is_plain or not all(map(_is_safe, addresses)):
            return None
        mail = f"MAIL FROM:<{envelope.sender}>"
        if self._announces_size:
            mail += f" SIZE={size}"
        if eight_bit and self._takes_eight_bits:
            mail += " BODY=8BITMIME"
        rcpts = [f"RCPT TO:<{address}>\r\n".encode() for address in envelope.addresses]
        return f"{mail}\r\n".encode(), rcpts

    def _note(self, command: bytes) -> None:
        if self._trail is not None:
            self._trail.append(command[:-2].decode(errors="backslashreplace"))

    def _grant(self, transaction: Transaction) -> None:
        """Put the content behind its 354 into the buffer, or its end alone. RFC 2920, 3.1."""
        self._out += b".\r\n" if transaction.nothing else dot_stuff(transaction.letter.whole)
        if self._trail is not None:
            self._trail.append(".")
        self.awaits += 1
        transaction.end = self._position + len(self._out)
        self._granted = None
