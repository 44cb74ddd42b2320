"""Carry many messages over one session, a window of transactions in flight."""

from __future__ import annotations

from time import monotonic

from ..envelope import Envelope
from ..errors import (
    ConnectionLost,
    Interrupted,
    ProtocolError,
    ServiceClosing,
    SessionError,
    SMTPSError,
    TimedOut,
)
from ..events import Direction, Error, PITrail
from ..letter import Letter
from ..ops import (
    Deadline,
    Dialogue,
    Emit,
    Give,
    Poll,
    Read,
    Respond,
    Sleep,
    Write,
    most_heard,
)
from ..phase import Phase
from ..receipt import Receipt
from ..reply import Reply
from ..session import Session
from ..watching import tell_receipts
from ..wire.capabilities import Capabilities
from ..wire.transaction import mail_command, rcpt_command
from ..wire.window import Window
from .exchange import check_quiet, exchange, reset
from .manners import manners_of
from .opening import hello_command
from .pace import Pace
from .work import Work

__all__ = ["carry_window", "give"]

# What the server said before it closed is here already or never comes.
_LAST_WORDS = Deadline(1.0)
# So many messages may wait at least until it is sure who of their recipients was refused.
_MOST_DOUBTFUL = 64
# For how long replies are waited for while a rate holds messages back, in seconds, until another
# look is taken whether the server still keeps its time.
_LONGEST = 1.0


def carry_window(session: Session, work: Work, pace: Pace) -> Dialogue[SMTPSError | None]:
    """Send what is at hand, until the next message needs a transaction of its own, or all is sent.

    Afterwards every message that was begun has its receipt, or is back in `work`, and the session
    rests or is over.

    Returns:
        What ended the session, if something did.
    """
    trail: list[str | Reply] | None = [] if session.trail else None
    window = _open_window(session, trail, work.most_recipients)
    is_data = not session.capabilities.chunking
    carrier = _Carrier(session, work, pace, window, trail, is_data=is_data)
    session.resting = False
    pace.begin()
    try:
        yield from check_quiet(session, Phase.MAIL)
        yield from carrier.run()
    except (SessionError, ServiceClosing) as error:
        yield from carrier.break_off(error)
        return error
    if not window.is_clean:
        session.resting = yield from reset(session)
    else:
        session.resting = True
    return None


def give(session: Session, receipts: list[Receipt]) -> Dialogue[None]:
    """Hand receipts to the caller, and tell listeners of the recipients that were refused."""
    if not receipts:
        return
    session.last_reply = receipts[-1].reply or session.last_reply
    if Error in session.heard:
        for receipt in receipts:
            if receipt.accepted and not receipt.ok:
                for result in receipt.results:
                    if result.reply is not None and not result.reply.positive:
                        sentence = f"<{result.address}> was refused: {result.reply}"
                        yield Emit(Error(161, sentence))
    if session.operation is not None:
        tell_receipts(session, receipts)
    yield Give(receipts)


def _open_window(
    session: Session, trail: list[str | Reply] | None, most_recipients: int | None
) -> Window:
    capabilities = session.capabilities

    def prepare(envelope: Envelope, size: int, eight_bit: bool) -> tuple[bytes, list[bytes]]:
        body = "8BITMIME" if eight_bit and capabilities.eight_bit_mime else None
        mail = mail_command(envelope, capabilities, size=size, body=body)
        utf8 = envelope.smtputf8
        return mail, [rcpt_command(one, capabilities, utf8=utf8) for one in envelope.recipients]

    return Window(
        "BDAT" if capabilities.chunking else "DATA",
        prepare,
        announces_size=capabilities.size is not None,
        size_limit=capabilities.size or 0,
        most_recipients=most_recipients or 0,
        takes_eight_bits=capabilities.eight_bit_mime,
        max_line_length=session.options.settings.max_line_length,
        trail=trail,
    )


class _Carrier:
    """The steps of `carry_window`, and what they share."""

    def __init__(
        self,
        session: Session,
        work: Work,
        pace: Pace,
        window: Window,
        trail: list[str | Reply] | None,
        *,
        is_data: bool,
    ) -> None:
        self._session = session
        self._work = work
        self._pace = pace
        self._window = window
        self._trail = trail
        self._limit = session.most_transactions
        self._answered = 0
        self._setbacks = 0
        #: What is being written, and since when.
        self._write: Write | None = None
        self._begun = 0.0
        #: When bytes came last, and since when they are waited for.
        self._heard = self._waiting = 0.0
        self._content_deadline = session.deadline(Phase.CONTENT)
        self._respond = Respond(self._answer, self._end_write, session.deadline(Phase.FINAL))
        # With DATA each turn is like the other, and what it brings is nobody's business but the
        # caller's; unless somebody listens to what is said.
        self._is_steady = is_data and trail is None and Error not in session.heard
        #: Whether the server closed in order.
        self._ended = False

    def run(self) -> Dialogue[None]:
        """Fill, write, read, give; until nothing is in flight and nothing can be added."""
        window, pace = self._window, self._pace
        while True:
            if self._wants_more():
                yield from self._fill()
                yield from self._give()
            if window.pending:
                yield from self._flush()
                if window.has_room(pace.most):
                    yield from self._look()
            elif window.awaits:
                pause = self._work.pause(_LONGEST)
                yield from (self._bide(pause) if pause else self._hear())
            elif window.doubtful and not window.closing:
                yield from self._make_sure()
            else:
                break
        if window.closing:
            raise ConnectionLost("the server is closing the connection", phase=Phase.IDLE)

    def break_off(self, error: SessionError | ServiceClosing) -> Dialogue[None]:
        """Decide over everything in flight, and take back what was surely not taken."""
        window = self._window
        write = self._write
        self._count(monotonic())
        if write is not None and isinstance(error, ConnectionLost):
            yield from self._hear_last_words()
        elif isinstance(error, Interrupted | TimedOut) or write is not None:
            yield from self._take_what_is_here()
        self._pace.is_dismissed = window.closing
        if window.failure is not None or isinstance(error, ProtocolError):
            manners_of(self._session).breaks_pipelining = True
        sent = write.sent if write is not None else 0
        again: list[Letter] = window.abandon(sent, error, ended=self._ended)
        self._work.take_back(again)
        self._take_back_remainders()
        yield from self._tell()
        yield from self._give()

    # --- filling ----------------------------------------------------------------------------------

    def _wants_more(self) -> bool:
        """Whether enough of the window is free to be worth a write."""
        window, most = self._window, self._pace.most
        return window.has_room(most) and 4 * window.in_flight <= 3 * most

    def _room(self) -> int:
        """Tell how many may be in flight, or 0 if no other message may be added now."""
        window, pace, session = self._window, self._pace, self._session
        if window.closing or pace.careful or self._work.is_odd:
            return 0
        if window.doubtful >= max(_MOST_DOUBTFUL, pace.most):
            return 0
        most = min(pace.most, window.in_flight + self._limit - session.transactions)
        return most if most > window.in_flight and window.has_room(most) else 0

    def _put(self) -> int:
        """Put what is at hand into the window; give how many more are to be asked for."""
        window, work, session = self._window, self._work, self._session
        while most := self._room():
            if not work.at_hand:
                return most - window.in_flight
            begun = window.answered + window.in_flight
            work.put_into(window, most)
            session.transactions += window.answered + window.in_flight - begun
        return 0

    def _fill(self) -> Dialogue[None]:
        """Put messages into the window while there is room for them."""
        window, work = self._window, self._work
        while wanted := self._put():
            if window.pending:
                # What waits is written before the program is asked for more.
                return
            yield from work.refill(wanted, wait=window.awaits == 0 and not window.doubtful)
            if not work.at_hand:
                return

    # --- writing ----------------------------------------------------------------------------------

    def _end_write(self) -> None:
        """Note that what was begun is written, and count what came before it."""
        self._write = None
        window = self._window
        window.written()
        self._count(self._heard)
        now = self._waiting = monotonic()
        self._session.meter.writing += now - self._begun
        self._pace.wrote(window.answered + window.in_flight, now)

    def _make_write(self) -> Write:
        window = self._window
        return Write(window.outgoing(), self._content_deadline, most_heard(window.awaits))

    def _flush(self) -> Dialogue[None]:
        yield from self._tell()
        self._write = self._make_write()
        self._begun = monotonic()
        yield self._write
        self._end_write()

    # --- reading ----------------------------------------------------------------------------------

    def _look(self) -> Dialogue[None]:
        """Take the replies that are here, before the program is asked for more messages."""
        # On asyncio this is when replies are taken in, and when others have their turn.
        yield Sleep(0)
        data = yield Poll()
        if data is not None:
            yield from self._take(data)

    def _hear(self) -> Dialogue[None]:
        """Wait for replies, write what they allow, and give the receipts that they bring."""
        respond = self._respond
        if self._window.closing:
            deadline = self._session.deadline(Phase.QUIT)
            respond = Respond(self._answer, self._end_write, deadline)
        self._waiting = monotonic()
        try:
            data = yield respond
        except SessionError as error:
            error.at(Phase.FINAL)
            raise
        if data == b"":
            self._take_end()
        yield from self._conclude()

    def _make_sure(self) -> Dialogue[None]:
        """Ask what nothing else is answered like, so that all before it was paired as it should.

        Nothing is in flight. EHLO resets no more than RSET does. RFC 5321, section 4.1.4.

        Raises:
            ProtocolError: the answer is that to another command; there is one reply too many.
        """
        session = self._session
        reply = yield from exchange(session, hello_command(session), Phase.HELLO)
        # Who refuses it answers nothing else so: all before it was positive.
        if reply.positive and not Capabilities.parse(reply.lines).chunking:
            reason = "a reply came that nothing asked for"
            raise ProtocolError(reason, phase=Phase.RSET, reply=reply)
        self._window.confirm()
        yield from self._give()
        self._take_back_remainders()

    def _bide(self, pause: float) -> Dialogue[None]:
        """Wait until more may be sent that a rate holds back, or for replies.

        Raises:
            TimedOut: they are late.
        """
        deadline = self._respond.deadline
        data = yield Read(deadline, pause)
        if data is not None:
            yield from self._take(data)
            return
        silent = monotonic() - max(self._heard, self._waiting)
        if deadline.is_over or (deadline.idle is not None and silent >= deadline.idle):
            raise TimedOut(deadline.allowed).at(Phase.FINAL)

    def _answer(self, data: bytes) -> Write | None:
        """Take replies, and give what can be written now that they are here."""
        now = self._feed(data)
        self._session.meter.reading += now - self._waiting
        window, respond = self._window, self._respond
        wanted = self._put() if window.failure is None and self._wants_more() else 0
        respond.goes_on = False
        if not window.pending:
            return None
        if self._is_steady and wanted == 0 and not window.closing:
            respond.goes_on = True
            if receipts := window.take():
                respond.receipts += receipts
                self._session.last_reply = receipts[-1].reply or self._session.last_reply
        self._begun = now
        write = self._write = self._make_write()
        return write

    def _take(self, data: bytes) -> Dialogue[None]:
        if not data:
            self._take_end()
        self._feed(data)
        yield from self._conclude()

    def _take_end(self) -> None:
        self._ended = True
        raise ConnectionLost(phase=Phase.FINAL)

    def _feed(self, data: bytes) -> float:
        """Take replies, and give the time when they came."""
        now = self._heard = monotonic()
        window = self._window
        window.feed(data)
        if window.setbacks > self._setbacks:
            self._setbacks = window.setbacks
            self._pace.set_back()
        self._take_back_remainders()
        return now

    def _take_back_remainders(self) -> None:
        """Keep what goes again for some of its recipients; each in a transaction of its own."""
        if remainders := self._window.remainders:
            self._work.take_back(remainders)
            remainders.clear()

    def _conclude(self) -> Dialogue[None]:
        """Tell, count and give what the replies brought."""
        if self._trail:
            yield from self._tell()
        self._count(self._heard)
        yield from self._give()
        failure = self._window.failure
        if failure is not None:
            raise failure

    def _count(self, now: float) -> None:
        answered = self._window.answered
        if answered > self._answered:
            count = answered - self._answered
            self._work.progress += count
            self._answered = answered
            self._pace.answered(answered, now)
            self._session.meter.heard(count, self._pace.last_delay)

    def _give(self) -> Dialogue[None]:
        receipts = self._respond.take() + self._window.take()
        if receipts:
            yield from give(self._session, receipts)

    def _hear_last_words(self) -> Dialogue[None]:
        """Read what the server said before it closed: replies to what it had read by then."""
        try:
            while True:
                yield from self._take((yield Read(_LAST_WORDS)))
        except SessionError:
            pass  # The connection is lost in any case.

    def _take_what_is_here(self) -> Dialogue[None]:
        """Take the replies that have arrived, so that what they decide is known."""
        try:
            while (data := (yield Poll())) is not None:
                yield from self._take(data)
        except SessionError:
            pass  # The connection is given up in any case.

    def _tell(self) -> Dialogue[None]:
        """Emit the lines of the trail."""
        if self._trail:
            lines, self._trail[:] = list(self._trail), []
            for line in lines:
                if isinstance(line, str):
                    yield Emit(PITrail(Direction.CLIENT, line))
                    continue
                for one in line.raw.split("\r\n"):
                    yield Emit(PITrail(Direction.SERVER, one))
