"""The transactions in flight on one connection: written back to back, answered in order."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from smtps._fast cimport kernels
from smtps._fast.kernels cimport smtps_line_t
from smtps._fast.outgoing cimport DATA, FINAL, MAIL, RCPT, RSET, Outgoing, Transaction, own
from smtps._fast.records cimport new_record
from smtps._fast.slots cimport find_slot, get_slot, set_slot

from smtps._fast.replies import ReplyParser
from smtps.envelope import Envelope
from smtps.errors import ProtocolError
from smtps.letter import Letter, Remainder
from smtps.phase import Phase
from smtps.receipt import Receipt

__all__ = ["Window"]


cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object)


cdef enum:
    # Lines of replies that are taken apart at a time, on the stack.
    LINES = 64
    # The most bytes of the start of a line that are held here; the parser holds more.
    HELD = 512

cdef tuple PHASES = (Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.FINAL)

cdef Py_ssize_t SENDER = find_slot(Envelope, "sender")
cdef Py_ssize_t ADDRESSES = find_slot(Envelope, "addresses")

cdef type receipt_type = Receipt
cdef Py_ssize_t RECEIPT_INDEX = find_slot(Receipt, "index")
cdef Py_ssize_t RECEIPT_MESSAGE_ID = find_slot(Receipt, "message_id")
cdef Py_ssize_t RECEIPT_SENDER = find_slot(Receipt, "sender")
cdef Py_ssize_t RECEIPT_RESULTS = find_slot(Receipt, "_results")
cdef Py_ssize_t RECEIPT_REPLY = find_slot(Receipt, "reply")
cdef Py_ssize_t RECEIPT_ERROR = find_slot(Receipt, "error")


cdef class Window(Outgoing):
    """Like the class of the same name in `smtps._pure.window`."""

    cdef object _parser
    # Whether the parser holds part of a reply.
    cdef bint _is_parsing
    # The start of a line whose end is not here yet, while the parser holds nothing.
    cdef size_t _held_size
    cdef uint8_t _held_line[HELD]

    cdef list _again
    # A message that was taken, until no other reply to it can follow.
    cdef object _held
    cdef object _held_letter
    cdef object _held_refusals
    # What was decided over some recipients only, and their letters, until that is sure.
    cdef list _doubtful
    cdef int _last_code
    cdef bint _is_told
    # The last final reply and its line: most servers say the same for every message.
    cdef bytes _final_line
    cdef object _final_reply

    cdef readonly size_t answered
    cdef readonly size_t setbacks
    cdef readonly bint closing
    cdef readonly list remainders
    cdef readonly object failure

    def __cinit__(self):
        self._again = []
        self._doubtful = []
        self.remainders = []
        self._final_line = b""

    def __init__(
            self, form, prepare, *, announces_size=False, size_limit=0, most_recipients=0,
            takes_eight_bits=False, max_line_length=2048, trail=None):
        super().__init__(
            form, prepare, announces_size=announces_size, size_limit=size_limit,
            most_recipients=most_recipients, takes_eight_bits=takes_eight_bits, trail=trail)
        self._parser = ReplyParser(max_line_length)

    @property
    def doubtful(self):
        """Like the property of the same name in `smtps._pure.window`."""
        return len(self._doubtful)

    @cython.critical_section
    def confirm(self):
        """Like the method of the same name in `smtps._pure.window`."""
        self._confirm()

    @cython.critical_section
    def feed(self, bytes data, /):
        """Like the method of the same name in `smtps._pure.window`."""
        try:
            self._feed(<const uint8_t *> PyBytes_AS_STRING(data), <size_t> PyBytes_GET_SIZE(data))
        except ProtocolError as error:
            self._fail(error.reason, None)
        if self.failure is not None:
            return
        if not self._is_parsing and self._held_size == 0 and not self._awaits_reset():
            self._release()
        if self._is_granted and not self.closing:
            self._grant()

    @cython.critical_section
    def take(self):
        """Like the method of the same name in `smtps._pure.window`."""
        receipts = self._receipts
        self._receipts = []
        return receipts

    @cython.critical_section
    def abandon(self, size_t sent, cause, /, *, bint ended=False):
        """Like the method of the same name in `smtps._pure.window`."""
        cdef uint64_t written = self._position + sent
        cdef bint is_told = self._is_told or (ended and self._last_code == 554)
        cdef Transaction *transaction
        cdef bint doubts = self.failure is not None or isinstance(cause, ProtocolError)
        self._settle_held()
        if not doubts:
            self._confirm()
        self._receipts += [letter.unknown({}, cause) for letter, _ in self._doubtful]
        self._doubtful = []
        again = self._again
        self._again = []
        while self._count:
            transaction = &self._ring[self._first]
            letter = make_letter(transaction)
            refusals = refusals_of(transaction)
            if not doubts and is_refused(transaction):
                self._receipts.append(letter.refused_early(or_none(transaction.mail), refusals))
            elif transaction.end > written or (is_told and not doubts):
                again.append(letter)
            else:
                self._receipts.append(letter.unknown(refusals, cause))
            self._forget_first()
        self._has_reset = False
        self.awaits = 0
        return again

    cdef int _feed(self, const uint8_t *src, size_t n) except -1:
        cdef smtps_line_t lines[LINES]
        cdef size_t start = 0, count, consumed, index, end
        if self._held_size:
            start = self._finish_line(src, n)
        while start < n and self.failure is None:
            count = kernels.scan_reply_lines(src + start, n - start, lines, LINES, &consumed)
            if count == 0:
                return self._hold(src + start, n - start)
            end = 0
            for index in range(count):
                end = self._take_line(src + start, end, &lines[index])
                if self.failure is not None:
                    return 0
            start += consumed
        return 0

    cdef size_t _finish_line(self, const uint8_t *src, size_t n) except? 0:
        """Take the line whose start is held, if it ends; return what belonged to it."""
        cdef smtps_line_t line
        cdef size_t consumed, size = kernels.find_lf(src, n)
        cdef uint8_t whole[HELD]
        if size == n or self._held_size + size + 1 > HELD:
            # It goes on, or is longer than any that is worth a short cut.
            self._parse(self._held_line, self._held_size)
            self._held_size = 0
            size = min(size + 1, n)
            self._parse(src, size)
            return size
        memcpy(whole, self._held_line, self._held_size)
        memcpy(whole + self._held_size, src, size + 1)
        size += 1
        consumed = self._held_size + size
        self._held_size = 0
        kernels.scan_reply_lines(whole, consumed, &line, 1, &consumed)
        self._take_line(whole, 0, &line)
        return size

    cdef int _hold(self, const uint8_t *src, size_t n) except -1:
        if self._is_parsing or n > HELD:
            return self._parse(src, n)
        memcpy(self._held_line, src, n)
        self._held_size = n
        return 0

    cdef size_t _take_line(
            self, const uint8_t *src, size_t start, const smtps_line_t *line) except? 0:
        """Take the line that begins at `start`; return where the next one begins."""
        cdef size_t end = line.start + line.length
        end += 2 if src[end] == c"\r" else 1
        if (
            self._is_parsing
            or not line.last
            or line.kind != kernels.SMTPS_LINE_GOOD
            or self._trail is not None
            or not self._take_usual(src + start, end - start, line.code)
        ):
            self._parse(src + start, end - start)
        return end

    cdef bint _take_usual(self, const uint8_t *text, size_t size, int code) except -1:
        """Take a reply that lets its transaction go on, without making anything of it.

        Returns:
            Whether it is one; nothing was done otherwise.
        """
        cdef Transaction *transaction
        if self._count == 0 or self._is_granted:
            return False
        transaction = &self._ring[self._first]
        if transaction.stage == FINAL:
            return self._take_usual_final(transaction, text, size, code)
        if transaction.stage == RCPT:
            if not 250 <= code <= 252 or transaction.mail != NULL:
                return False
            transaction.accepted += 1
            transaction.answered += 1
            if transaction.answered == transaction.recipients:
                transaction.stage = FINAL if self._chunked else DATA
        elif transaction.stage == MAIL:
            if code != 250 or transaction.mail != NULL:
                return False
            transaction.stage = RCPT
        elif transaction.stage == RSET:
            if code != 250:
                return False
            transaction.stage = MAIL
            self._release()
        else:
            return False
        self.awaits -= 1
        self._last_code = code
        self._is_told = False
        return True

    cdef bint _take_usual_final(
            self, Transaction *transaction, const uint8_t *text, size_t size,
            int code) except -1:
        if (
            code != 250
            or transaction.accepted != transaction.recipients
            or transaction.nothing
            or <size_t> PyBytes_GET_SIZE(self._final_line) != size
            or memcmp(PyBytes_AS_STRING(self._final_line), text, size)
        ):
            return False
        self.awaits -= 1
        self._last_code = code
        self._is_told = False
        self._end_taken(transaction, self._final_reply)
        return True

    cdef int _parse(self, const uint8_t *src, size_t n) except -1:
        """Take bytes the long way, by replies."""
        cdef bytes text = PyBytes_FromStringAndSize(<const char *> src, <Py_ssize_t> n)
        for reply in self._parser.feed(text):
            self._take(reply, text)
            if self.failure is not None:
                return 0
        self._is_parsing = self._parser.pending
        if self._is_parsing:
            # What is malformed behind good replies is told by the next call.
            self._parser.feed(b"")
        return 0

    # --- one reply --------------------------------------------------------------------------------

    cdef int _take(self, object reply, bytes line) except -1:
        cdef Transaction *transaction
        cdef int code = reply.code
        if self._trail is not None:
            self._trail.append(reply)
        self._last_code = code
        if code == 421:
            self.closing = self._is_told = True
            if (self._count == 0 and not self._has_reset) or self._is_granted:
                return 0
        elif code < 400:
            self._is_told = False
        if self._count == 0 and self._has_reset:
            return self._take_last_rset(reply, code)
        if self._count == 0 or self._is_granted:
            return self._fail("a reply came that nothing asked for", reply)
        transaction = &self._ring[self._first]
        self.awaits -= 1
        if transaction.stage == RSET:
            return self._take_rset(transaction, reply, code)
        if transaction.stage == MAIL:
            return self._take_mail(transaction, reply, code)
        if transaction.stage == RCPT:
            return self._take_rcpt(transaction, reply, code)
        if transaction.stage == DATA:
            return self._take_data(transaction, reply, code)
        if code == 250:
            self._final_line = line if len(reply.lines) == 1 else b""
            self._final_reply = reply
        return self._take_final(transaction, reply, code)

    cdef int _take_last_rset(self, object reply, int code) except -1:
        """Take the answer to the RSET that no transaction followed."""
        self.awaits -= 1
        self._has_reset = False
        if code == 250:
            self._clean = True
        elif code != 421:
            return self._fail("RSET was not accepted", reply)
        self._release()
        return 0

    cdef int _take_rset(self, Transaction *transaction, object reply, int code) except -1:
        if code == 421:
            transaction.mail = own(reply)
        elif code != 250:
            return self._fail("RSET was not accepted", reply)
        transaction.stage = MAIL
        self._release()
        return 0

    cdef int _take_mail(self, Transaction *transaction, object reply, int code) except -1:
        if code < 400:
            if code != 250 or transaction.mail != NULL:
                return self._fail("expected 250 to MAIL", reply)
        elif code == 503 and not transaction.begins:
            return self._fail("MAIL came at the wrong time for the server", reply)
        elif transaction.mail == NULL:
            transaction.mail = own(reply)
        transaction.stage = RCPT
        return 0

    cdef int _take_rcpt(self, Transaction *transaction, object reply, int code) except -1:
        if code >= 400:
            if transaction.refusals == NULL:
                transaction.refusals = own({})
            (<dict> transaction.refusals)[transaction.answered] = reply
        elif transaction.mail != NULL or not 250 <= code <= 252:
            return self._fail("expected another reply to RCPT", reply)
        else:
            transaction.accepted += 1
        transaction.answered += 1
        if transaction.answered == transaction.recipients:
            transaction.stage = FINAL if self._chunked else DATA
        return 0

    cdef int _take_data(self, Transaction *transaction, object reply, int code) except -1:
        if code == 354:
            transaction.stage = FINAL
            transaction.nothing = transaction.accepted == 0
            self._is_granted = True
        elif code < 400:
            return self._fail("expected 354 to DATA", reply)
        else:
            self._end(transaction, reply, code)
        return 0

    cdef int _take_final(self, Transaction *transaction, object reply, int code) except -1:
        if transaction.nothing or code >= 400:
            self._end(transaction, reply, code)
        elif code != 250:
            return self._fail("expected 250 to the content", reply)
        elif transaction.accepted == 0:
            return self._fail("a message for nobody was taken", reply)
        else:
            self._end(transaction, reply, code)
        return 0

    cdef int _end(self, Transaction *transaction, object reply, int code) except -1:
        """Make the receipt of the oldest transaction, whose last reply is here."""
        if transaction.accepted and code < 400:
            self._end_taken(transaction, reply)
            return 0
        letter = make_letter(transaction)
        refusals = refusals_of(transaction)
        if is_refused(transaction):
            self.setbacks += 1
            self._receipts.append(letter.refused_early(or_none(transaction.mail), refusals))
        elif transaction.accepted == 0:
            # Somebody else's errors made the server say 421 here, which answers nothing.
            self.answered -= 1
            self._again.append(letter)
        elif self._chunked and transaction.recipients > 1:
            self._doubtful.append((letter, letter.refused(refusals, reply)))
        else:
            self._receipts.append(letter.refused(refusals, reply))
        self._end_first(transaction)
        return 0

    cdef int _end_taken(self, Transaction *transaction, object reply) except -1:
        """Hold the receipt of the oldest transaction, which was taken, until it is beyond doubt."""
        cdef object envelope = <object> transaction.envelope
        cdef object receipt
        if transaction.refusals != NULL:
            self._held_letter = make_letter(transaction)
            self._held_refusals = refusals_of(transaction)
            self._held = self._held_letter.taken(self._held_refusals, reply)
        else:
            receipt = new_record(receipt_type, 0)
            set_slot(receipt, RECEIPT_INDEX, transaction.number)
            set_slot(receipt, RECEIPT_MESSAGE_ID, <object> transaction.message_id)
            set_slot(receipt, RECEIPT_SENDER, <object> get_slot(envelope, SENDER))
            set_slot(receipt, RECEIPT_RESULTS, <object> get_slot(envelope, ADDRESSES))
            set_slot(receipt, RECEIPT_REPLY, reply)
            set_slot(receipt, RECEIPT_ERROR, None)
            # Nothing in it refers to anything: the collector need not look at it again and again.
            PyObject_GC_UnTrack(receipt)
            self._held_letter = envelope
            self._held_refusals = None
            self._held = receipt
        self._end_first(transaction)
        self._clean = self._count == 0
        return 0

    cdef int _end_first(self, Transaction *transaction) except -1:
        self.bytes_in_flight -= transaction.size
        self.answered += 1
        self._forget_first()
        return 0

    cdef bint _awaits_reset(self) noexcept:
        """Tell whether RSET comes next: until it is answered, the content may be once more."""
        if self._count:
            return self._ring[self._first].stage == RSET
        return self._has_reset

    cdef int _release(self) except -1:
        """Give the receipt of the message that was taken: nothing spoke against it."""
        if self._held is not None:
            if self._held_refusals is None:
                self._receipts.append(self._held)
            else:
                self._release_partly()
            self._held = None
        return 0

    cdef int _release_partly(self) except -1:
        places = self._held_letter.crowded_out(self._held_refusals)
        result = Remainder(self._held_letter, self._held, places) if places else self._held
        if self._chunked:
            self._doubtful.append((self._held_letter, result))
        else:
            self._settle(result)
        return 0

    cdef int _settle(self, result) except -1:
        if isinstance(result, Remainder):
            self.remainders.append(result)
        else:
            self._receipts.append(result)
        return 0

    cdef int _confirm(self) except -1:
        for _, result in self._doubtful:
            self._settle(result)
        self._doubtful = []
        return 0

    cdef int _settle_held(self) except -1:
        """Decide over the message that was taken, at the end of the connection."""
        if self._held is not None and self.failure is not None:
            letter, refusals = self._held_letter, self._held_refusals
            if refusals is None:
                receipt = self._held
                letter, refusals = Letter(receipt.index, letter, b"", receipt.message_id), {}
            self._receipts.append(letter.unknown(refusals, self.failure))
            self._held = None
        return self._release()

    cdef int _fail(self, str reason, object reply) except -1:
        phase = PHASES[self._ring[self._first].stage] if self._count else Phase.IDLE
        said = f"{reason}: {reply}" if reply is not None else reason
        self.failure = ProtocolError(said, phase=phase, reply=reply)
        return 0


cdef inline object or_none(PyObject *value):
    return None if value == NULL else <object> value


cdef inline object refusals_of(Transaction *transaction):
    return {} if transaction.refusals == NULL else <object> transaction.refusals


cdef object make_letter(Transaction *transaction):
    return Letter(
        transaction.number, <object> transaction.envelope, <object> transaction.content,
        <object> transaction.message_id)


cdef bint is_refused(Transaction *transaction) except -1:
    """Tell whether the server decided that the message goes to nobody."""
    if transaction.mail != NULL:
        return (<object> transaction.mail).code != 421
    if transaction.refusals == NULL:
        return False
    refusals = (<dict> transaction.refusals).values()
    return <uint32_t> len(refusals) == transaction.recipients and all(
        [reply.code != 421 for reply in refusals])
