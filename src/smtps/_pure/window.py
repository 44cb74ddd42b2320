"""The transactions in flight on one connection: written back to back, answered in order.

No other module pairs so many replies with so many commands. What a server answers to each command
is checked against what its transaction allows; whatever does not fit means that the two sides no
longer speak of the same command, and ends the window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ..envelope import Envelope
from ..errors import ProtocolError, SMTPSError
from ..letter import Letter, Remainder
from ..phase import Phase
from ..receipt import Receipt
from ..reply import Reply
from .outgoing import DATA, FINAL, MAIL, RCPT, RSET, Outgoing, Transaction
from .replies import ReplyParser

__all__ = ["Window"]

_PHASES = (Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.FINAL)


class Window(Outgoing):
    """Write transactions into one buffer, and make receipts of what comes back.

    Args:
        max_line_length: as `ReplyParser` has it; the others are those of `Outgoing`.
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
        super().__init__(
            form,
            prepare,
            announces_size=announces_size,
            size_limit=size_limit,
            most_recipients=most_recipients,
            takes_eight_bits=takes_eight_bits,
            trail=trail,
        )
        self._parser = ReplyParser(max_line_length)
        self._again: list[Letter] = []
        #: A message that was taken, until no other reply to it can follow.
        self._held: tuple[Letter, dict[int, Reply], Reply] | None = None
        #: What was decided over some recipients only, and their letters, until that is sure.
        self._doubtful: list[tuple[Letter, Receipt | Remainder]] = []
        self._last_code = 0
        #: Whether the server said that it closes, and took nothing after that.
        self._is_told = False
        #: How many messages were answered, and how many of them nobody was accepted for.
        self.answered = 0
        self.setbacks = 0
        #: Whether the server announced that it closes; nothing more may be added.
        self.closing = False
        #: What is to go again for some recipients, of whom there were too many at once; whoever
        #: reads it takes it out.
        self.remainders: list[Remainder] = []
        #: What ended the window, if something that does not fit was answered.
        self.failure: ProtocolError | None = None

    @property
    def doubtful(self) -> int:
        """How many messages were decided over, but perhaps not for the recipients that it seems.

        All positive replies of BDAT transactions look alike. A server that gave one reply too many
        is found out by the last refusal of a message, but who of several recipients was refused can
        be off by one all the time. Only something that is answered unlike all else tells; then
        comes `confirm`.
        """
        return len(self._doubtful)

    def confirm(self) -> None:
        """Note that every reply so far was the one to its command."""
        for _, result in self._doubtful:
            self._settle(result)
        self._doubtful.clear()

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
        if not self._awaits_reset() and not self._parser.pending:
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
            cause: what ended the connection; behind a `ProtocolError` nothing that is doubtful or
                not at its end is believed.
            ended: whether it ended in order, so that no reply was lost on the way.

        Returns:
            The messages that the server has surely not taken, for another connection. Of the
            others the receipts are ready: decided by a refusal, or unknown.
        """
        doubt = self.failure or (cause if isinstance(cause, ProtocolError) else None)
        self._settle_held()
        if doubt is None:
            self.confirm()
        self._receipts += [letter.unknown({}, cause) for letter, _ in self._doubtful]
        self._doubtful.clear()
        again, self._again = self._again, []
        written = self._position + sent
        # RFC 5321 3.8 lets a server close after 421 only; some say 554 in its place.
        is_told = self._is_told or (ended and self._last_code == 554)
        for transaction in self._transactions:
            letter = transaction.letter
            if doubt is None and self._is_refused(transaction):
                early = letter.refused_early(transaction.mail, transaction.refusals)
                self._receipts.append(early)
            elif transaction.end > written or (is_told and doubt is None):
                again.append(letter)
            else:
                self._receipts.append(letter.unknown(transaction.refusals, cause))
        self._transactions.clear()
        self._has_reset = False
        self.awaits = 0
        return again

    # --- one reply --------------------------------------------------------------------------------

    def _take(self, reply: Reply) -> None:
        if self._trail is not None:
            self._trail.append(reply)
        self._last_code = reply.code
        if reply.code == 421:
            self.closing = self._is_told = True
            if not (self._transactions or self._has_reset) or self._granted is not None:
                return
        elif reply.positive:
            self._is_told = False
        if not self._transactions and self._has_reset:
            self._take_last_rset(reply)
            return
        if not self._transactions or self._granted is not None:
            self._fail("a reply came that nothing asked for", reply)
            return
        transaction = self._transactions[0]
        self.awaits -= 1
        if transaction.stage == RSET:
            self._take_rset(transaction, reply)
        elif transaction.stage == MAIL:
            self._take_mail(transaction, reply)
        elif transaction.stage == RCPT:
            self._take_rcpt(transaction, reply)
        elif transaction.stage == DATA:
            self._take_data(transaction, reply)
        else:
            self._take_final(transaction, reply)

    def _take_last_rset(self, reply: Reply) -> None:
        """Take the answer to the RSET that no transaction followed."""
        self.awaits -= 1
        self._has_reset = False
        if reply.code == 250:
            self._clean = True
        elif reply.code != 421:
            self._fail("RSET was not accepted", reply)
            return
        self._release()

    def _take_rset(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code == 421:
            transaction.mail = reply
        elif reply.code != 250:
            self._fail("RSET was not accepted", reply)
            return
        transaction.stage = MAIL
        self._release()

    def _take_mail(self, transaction: Transaction, reply: Reply) -> None:
        if reply.positive:
            if reply.code != 250 or transaction.mail is not None:
                self._fail("expected 250 to MAIL", reply)
                return
        elif reply.code == 503 and not transaction.begins:
            self._fail("MAIL came at the wrong time for the server", reply)
            return
        elif transaction.mail is None:
            transaction.mail = reply
        transaction.stage = RCPT

    def _take_rcpt(self, transaction: Transaction, reply: Reply) -> None:
        if not reply.positive:
            transaction.refusals[transaction.answered] = reply
        elif transaction.mail is not None or reply.code not in (250, 251, 252):
            self._fail("expected another reply to RCPT", reply)
            return
        else:
            transaction.accepted += 1
        transaction.answered += 1
        if transaction.answered == len(transaction.letter.envelope.addresses):
            transaction.stage = FINAL if self._chunked else DATA

    def _take_data(self, transaction: Transaction, reply: Reply) -> None:
        if reply.code == 354:
            transaction.stage = FINAL
            transaction.nothing = transaction.accepted == 0
            self._granted = transaction
        elif reply.positive:
            self._fail("expected 354 to DATA", reply)
        else:
            self._end(transaction, reply)

    def _take_final(self, transaction: Transaction, reply: Reply) -> None:
        if transaction.nothing or not reply.positive:
            self._end(transaction, reply)
        elif reply.code != 250:
            self._fail("expected 250 to the content", reply)
        elif transaction.accepted == 0:
            self._fail("a message for nobody was taken", reply)
        else:
            self._end(transaction, reply)

    def _end(self, transaction: Transaction, reply: Reply) -> None:
        """Make the receipt of a transaction whose last reply is here."""
        self._transactions.popleft()
        self.bytes_in_flight -= transaction.size
        self.answered += 1
        letter, refusals = transaction.letter, transaction.refusals
        if self._is_refused(transaction):
            self.setbacks += 1
            self._receipts.append(letter.refused_early(transaction.mail, refusals))
        elif transaction.accepted == 0:
            # Somebody else's errors made the server say 421 here, which answers nothing.
            self.answered -= 1
            self._again.append(letter)
        elif not reply.positive:
            receipt = letter.refused(refusals, reply)
            is_doubtful = self._chunked and len(letter.envelope.addresses) > 1
            self._doubtful.append((letter, receipt)) if is_doubtful else self._settle(receipt)
        else:
            self._clean = not self._transactions
            self._held = letter, refusals, reply

    def _awaits_reset(self) -> bool:
        """Tell whether RSET comes next: until it is answered, the content may be once more."""
        if self._transactions:
            return self._transactions[0].stage == RSET
        return self._has_reset

    def _release(self) -> None:
        """Give the receipt of the message that was taken: nothing spoke against it."""
        if self._held is not None:
            letter, refusals, reply = self._held
            receipt = letter.taken(refusals, reply)
            places = letter.crowded_out(refusals) if refusals else ()
            result = Remainder(letter, receipt, places) if places else receipt
            is_doubtful = self._chunked and refusals
            self._doubtful.append((letter, result)) if is_doubtful else self._settle(result)
            self._held = None

    def _settle(self, result: Receipt | Remainder) -> None:
        if isinstance(result, Remainder):
            self.remainders.append(result)
        else:
            self._receipts.append(result)

    def _settle_held(self) -> None:
        """Decide over the message that was taken, at the end of the connection."""
        if self._held is not None and self.failure is not None:
            letter, refusals, _ = self._held
            self._receipts.append(letter.unknown(refusals, self.failure))
            self._held = None
        self._release()

    def _is_refused(self, transaction: Transaction) -> bool:
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
