"""The transactions in flight on one connection: written back to back, answered in order.

No other module pairs so many replies with so many commands, so the rule is told here. A
transaction rides behind one that is not answered only with RSET between them, which costs six bytes
and no round trip: without it a server that keeps a refused transaction open takes the next one's
recipients under the sender of the last (Exim 4.96 does). What a server answers to each command is
checked against what its transaction allows; whatever does not fit means that the two sides no
longer speak of the same command, and ends the window.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable
from typing import Literal

from ..envelope import Envelope
from ..errors import ProtocolError, SMTPSError, TooLarge
from ..letter import Letter
from ..phase import Phase
from ..receipt import Receipt
from ..reply import Reply
from .dots import dot_stuff, normalize_newlines
from .replies import ReplyParser

__all__ = ["Window"]

#: The most bytes of a content that is carried in a window; what is larger goes in chunks.
LARGEST = 1 << 20
#: As much is put into one write before it is written.
BATCH = 1 << 18
#: The most that is in flight: bytes, and replies that are awaited.
MOST_BYTES = 1 << 23
MOST_REPLIES = 1 << 14

# What the oldest transaction awaits next.
_RSET, _MAIL, _RCPT, _DATA, _FINAL = range(5)
_PHASES = (Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.FINAL)
_NEVER = sys.maxsize


# An envelope has made sure of that; here nothing could end a line or a path all the same.
_is_safe = re.compile(r"[!-=?-~]*").fullmatch


class _Transaction:
    """A letter on its way, and what the server said so far."""

    __slots__ = (
        "accepted", "answered", "begins", "end", "letter", "mail", "nothing", "refusals", "size",
        "stage",
    )  # fmt: skip

    def __init__(self, letter: Letter, stage: int, size: int, end: int) -> None:
        self.letter = letter
        self.stage = stage
        #: Whether RSET was not needed before it.
        self.begins = stage == _MAIL
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


class Window:
    """Write transactions into one buffer, and make receipts of what comes back.

    Args:
        form: "BDAT" sends whole transactions back to back (RFC 3030); "DATA" the content of one
            with the commands of the next behind it (RFC 2920, section 3.1).
        prepare: gives MAIL and each RCPT for an envelope that is more than plain addresses, for
            the size of the content and whether it has bytes above 127.
        announces_size: whether MAIL tells the size. RFC 1870.
        size_limit: the most bytes of a content that the server takes; 0 is no limit.
        most_recipients: the most recipients of a message that the server takes; 0 is no limit.
        takes_eight_bits: whether MAIL says so of content with bytes above 127. RFC 6152.
        max_line_length: as `ReplyParser` has it.
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
        max_line_length: int = 2048,
        trail: list[str | Reply] | None = None,
    ) -> None:
        self._chunked = form == "BDAT"
        self._prepare = prepare
        self._announces_size = announces_size
        self._size_limit = size_limit
        self._most_recipients = most_recipients or sys.maxsize
        self._takes_eight_bits = takes_eight_bits
        self._trail = trail
        self._parser = ReplyParser(max_line_length)
        self._transactions: deque[_Transaction] = deque()
        self._out = bytearray()
        #: The bytes of the stream up to the start of the buffer.
        self._position = 0
        self._receipts: list[Receipt] = []
        self._again: list[Letter] = []
        #: A message that was taken, until no other reply to it can follow.
        self._held: tuple[Letter, dict[int, Reply], Reply] | None = None
        #: The transaction whose content was asked for and is not in the buffer yet.
        self._granted: _Transaction | None = None
        #: Whether the server is known to have no transaction open.
        self._clean = True
        self._last_code = 0
        #: Whether the server said that it closes, and took nothing after that.
        self._is_told = False
        #: The replies that are still to come.
        self.awaits = 0
        #: The bytes that were put into the buffer for what is in flight.
        self.bytes_in_flight = 0
        #: How many messages were answered, and how many of them nobody was accepted for.
        self.answered = 0
        self.setbacks = 0
        #: Whether the server announced that it closes; nothing more may be added.
        self.closing = False
        #: What ended the window, if something that does not fit was answered.
        self.failure: ProtocolError | None = None

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
            and self._transactions[0].stage == _FINAL
            and self._granted is None
        )

    def add_letter(self, letter: Letter, /) -> None:
        """Add one message, whether there is room or not."""
        content = normalize_newlines(letter.content)
        if content and not content.endswith(b"\n"):
            content += b"\r\n"
        size = len(content)
        eight_bit = not content.isascii()
        try:
            if self._size_limit and size > self._size_limit:
                raise TooLarge(size, self._size_limit)
            plain = self._plain(letter.envelope, size, eight_bit)
            mail, rcpts = plain or self._prepare(letter.envelope, size, eight_bit)
        except SMTPSError as error:
            self._receipts.append(letter.unsent(error))
            return
        commands = [mail, *rcpts]
        stage = _MAIL
        if self._transactions or not self._clean:
            commands.insert(0, b"RSET\r\n")
            stage = _RSET
        self._clean = False
        commands.append(b"BDAT %d LAST\r\n" % size if self._chunked else b"DATA\r\n")
        self.awaits += len(commands)
        for command in commands:
            self._out += command
            self._note(command)
        if self._chunked:
            self._out += content
        end = self._position + len(self._out) if self._chunked else _NEVER
        self.bytes_in_flight += size
        self._transactions.append(_Transaction(letter, stage, size, end))

    def outgoing(self) -> bytes:
        """Give what is to be written; `written` must follow."""
        return bytes(self._out)

    def written(self) -> None:
        """Note that all of it was written."""
        self._position += len(self._out)
        self._out.clear()

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

    # --- what comes back --------------------------------------------------------------------------

    def feed(self, data: bytes, /) -> None:
        """Take bytes of the server; all that was put into the buffer must be written by now.

        What does not fit is told by `failure`, and what came before it still counts.
        """
        try:
            for reply in self._parser.feed(data):
                self._take(reply)
                if self.failure is not None:
                    return
            # What is malformed behind good replies is told by the next call.
            self._parser.feed(b"")
        except ProtocolError as error:
            self._fail(str(error.reason), None)
        if self.failure is not None:
            return
        # RSET follows right behind; until it is answered, a second answer to the content may come.
        next_stage = self._transactions[0].stage if self._transactions else _MAIL
        if next_stage != _RSET and not self._parser.pending:
            self._release()
        if self._granted is not None and not self.closing:
            self._grant(self._granted)

    def take(self) -> list[Receipt]:
        """Take the receipts that are ready, in the order in which they became so."""
        receipts, self._receipts = self._receipts, []
        return receipts

    def abandon(self, sent: int, cause: SMTPSError, /, *, ended: bool = False) -> list[Letter]:
        """Decide over what is in flight, when nothing more will come back.

        Args:
            sent: how many bytes of the buffer were written before the end; after `written` none.
            cause: what ended the connection.
            ended: whether it ended in order, so that no reply was lost on the way.

        Returns:
            The messages that the server has surely not taken, for another connection. Of the
            others the receipts are ready: decided by a refusal, or unknown.
        """
        self._settle_held()
        again, self._again = self._again, []
        written = self._position + sent
        # RFC 5321 3.8 lets a server close after 421 only; some say 554 in its place.
        is_told = self._is_told or (ended and self._last_code == 554)
        for transaction in self._transactions:
            letter = transaction.letter
            if self._is_refused(transaction):
                early = letter.refused_early(transaction.mail, transaction.refusals)
                self._receipts.append(early)
            elif transaction.end > written or (is_told and self.failure is None):
                again.append(letter)
            else:
                self._receipts.append(letter.unknown(transaction.refusals, cause))
        self._transactions.clear()
        self.awaits = 0
        return again

    # --- one reply --------------------------------------------------------------------------------

    def _take(self, reply: Reply) -> None:
        if self._trail is not None:
            self._trail.append(reply)
        self._last_code = reply.code
        if reply.code == 421:
            self.closing = self._is_told = True
            if not self._transactions or self._granted is not None:
                return
        elif reply.positive:
            self._is_told = False
        if not self._transactions or self._granted is not None:
            self._fail("a reply came that nothing asked for", reply)
            return
        transaction = self._transactions[0]
        self.awaits -= 1
        if transaction.stage == _RSET:
            self._take_rset(transaction, reply)
        elif transaction.stage == _MAIL:
            self._take_mail(transaction, reply)
        elif transaction.stage == _RCPT:
            self._take_rcpt(transaction, reply)
        elif transaction.stage == _DATA:
            self._take_data(transaction, reply)
        else:
            self._take_final(transaction, reply)

    def _take_rset(self, transaction: _Transaction, reply: Reply) -> None:
        if reply.code == 421:
            transaction.mail = reply
        elif reply.code != 250:
            self._fail("RSET was not accepted", reply)
            return
        transaction.stage = _MAIL
        self._release()

    def _take_mail(self, transaction: _Transaction, reply: Reply) -> None:
        if reply.positive:
            if reply.code != 250 or transaction.mail is not None:
                self._fail("expected 250 to MAIL", reply)
                return
        elif reply.code == 503 and not transaction.begins:
            self._fail("MAIL came at the wrong time for the server", reply)
            return
        elif transaction.mail is None:
            transaction.mail = reply
        transaction.stage = _RCPT

    def _take_rcpt(self, transaction: _Transaction, reply: Reply) -> None:
        if not reply.positive:
            transaction.refusals[transaction.answered] = reply
        elif transaction.mail is not None or reply.code not in (250, 251, 252):
            self._fail("expected another reply to RCPT", reply)
            return
        else:
            transaction.accepted += 1
        transaction.answered += 1
        if transaction.answered == len(transaction.letter.envelope.addresses):
            transaction.stage = _FINAL if self._chunked else _DATA

    def _take_data(self, transaction: _Transaction, reply: Reply) -> None:
        if reply.code == 354:
            transaction.stage = _FINAL
            transaction.nothing = transaction.accepted == 0
            self._granted = transaction
        elif reply.positive:
            self._fail("expected 354 to DATA", reply)
        else:
            self._end(transaction, reply)

    def _take_final(self, transaction: _Transaction, reply: Reply) -> None:
        if transaction.nothing or not reply.positive:
            self._end(transaction, reply)
        elif reply.code != 250:
            self._fail("expected 250 to the content", reply)
        elif transaction.accepted == 0:
            self._fail("a message for nobody was taken", reply)
        else:
            self._end(transaction, reply)

    def _end(self, transaction: _Transaction, reply: Reply) -> None:
        """Make the receipt of a transaction whose last reply is here."""
        self._transactions.popleft()
        self.bytes_in_flight -= transaction.size
        self.answered += 1
        letter, refusals = transaction.letter, transaction.refusals
        if self._is_refused(transaction):
            self.setbacks += 1
            self._receipts.append(letter.refused_early(transaction.mail, refusals))
        elif transaction.accepted == 0:
            # Somebody else's errors made the server say 421 here.
            self._again.append(letter)
        elif not reply.positive:
            self._receipts.append(letter.refused(refusals, reply))
        else:
            self._clean = not self._transactions
            self._held = letter, refusals, reply

    def _release(self) -> None:
        """Give the receipt of the message that was taken: nothing spoke against it."""
        if self._held is not None:
            letter, refusals, reply = self._held
            self._receipts.append(letter.taken(refusals, reply))
            self._held = None

    def _settle_held(self) -> None:
        """Decide over the message that was taken, at the end of the connection."""
        if self._held is not None and self.failure is not None:
            letter, refusals, _ = self._held
            self._receipts.append(letter.unknown(refusals, self.failure))
            self._held = None
        self._release()

    def _grant(self, transaction: _Transaction) -> None:
        """Put the content behind its 354 into the buffer, or its end alone. RFC 2920, 3.1."""
        self._out += b".\r\n" if transaction.nothing else dot_stuff(transaction.letter.content)
        if self._trail is not None:
            self._trail.append(".")
        self.awaits += 1
        transaction.end = self._position + len(self._out)
        self._granted = None

    def _is_refused(self, transaction: _Transaction) -> bool:
        """Tell whether the server decided that the message goes to nobody."""
        if transaction.mail is not None:
            return transaction.mail.code != 421
        refusals = transaction.refusals.values()
        everyone = len(refusals) == len(transaction.letter.envelope.addresses)
        return everyone and all(reply.code != 421 for reply in refusals)

    def _fail(self, reason: str, reply: Reply | None) -> None:
        phase = _PHASES[self._transactions[0].stage] if self._transactions else Phase.IDLE
        said = f"{reason}: {reply}" if reply is not None else reason
        self.failure = ProtocolError(said, phase=phase, reply=reply)
