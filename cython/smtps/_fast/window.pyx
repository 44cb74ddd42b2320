"""The transactions in flight on one connection: written back to back, answered in order."""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.bytes cimport (
    PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
)
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH
from libc.stdint cimport UINT64_MAX, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from smtps._fast cimport kernels
from smtps._fast.kernels cimport smtps_line_t, smtps_survey_t
from smtps._fast.records cimport new_record
from smtps._fast.slots cimport find_slot, get_slot, set_slot

from smtps._fast.replies import ReplyParser
from smtps._pure.window import BATCH, LARGEST, MOST_BYTES, MOST_REPLIES
from smtps.envelope import Envelope
from smtps.errors import ProtocolError, SMTPSError, TooLarge
from smtps.letter import Letter
from smtps.phase import Phase
from smtps.receipt import Receipt

__all__ = ["Window"]


cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)


cdef enum:
    # What the oldest transaction awaits next.
    RSET
    MAIL
    RCPT
    DATA
    FINAL


cdef enum:
    # Lines of replies that are taken apart at a time, on the stack.
    LINES = 64
    # The most bytes of the start of a line that are held here; the parser holds more.
    HELD = 512
    # Room for all of a transaction but its addresses and its content.
    COMMANDS = 160
    # Room for a RCPT without its address.
    RCPT_ROOM = 16
    DATA_END = 5


cdef struct Transaction:
    Py_ssize_t number
    # References that this owns; the last two may be NULL.
    PyObject *envelope
    PyObject *content
    PyObject *message_id
    PyObject *mail
    PyObject *refusals
    uint64_t end
    size_t size
    uint32_t recipients
    uint32_t answered
    uint32_t accepted
    uint8_t stage
    bint begins
    bint nothing


cdef tuple PHASES = (Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.FINAL)
cdef size_t BATCH_SIZE = BATCH
cdef size_t LARGEST_SIZE = LARGEST
cdef size_t BYTES_LIMIT = MOST_BYTES
cdef size_t REPLIES_LIMIT = MOST_REPLIES

cdef type envelope_type = Envelope
cdef Py_ssize_t SENDER = find_slot(Envelope, "sender")
cdef Py_ssize_t ADDRESSES = find_slot(Envelope, "addresses")
cdef Py_ssize_t DETAILS = find_slot(Envelope, "_details")

cdef type receipt_type = Receipt
cdef Py_ssize_t RECEIPT_INDEX = find_slot(Receipt, "index")
cdef Py_ssize_t RECEIPT_MESSAGE_ID = find_slot(Receipt, "message_id")
cdef Py_ssize_t RECEIPT_SENDER = find_slot(Receipt, "sender")
cdef Py_ssize_t RECEIPT_RESULTS = find_slot(Receipt, "_results")
cdef Py_ssize_t RECEIPT_REPLY = find_slot(Receipt, "reply")
cdef Py_ssize_t RECEIPT_ERROR = find_slot(Receipt, "error")


cdef class Window:
    """Like the class of the same name in `smtps._pure.window`."""

    cdef bint _chunked
    cdef object _prepare
    cdef bint _announces_size
    cdef size_t _size_limit
    cdef Py_ssize_t _most_recipients
    cdef bint _takes_eight_bits
    cdef object _trail
    cdef object _parser
    # Whether the parser holds part of a reply.
    cdef bint _is_parsing
    # The start of a line whose end is not here yet, while the parser holds nothing.
    cdef size_t _held_size
    cdef uint8_t _held_line[HELD]

    # The transactions in flight, the oldest at `_first`: a ring.
    cdef Transaction *_ring
    cdef size_t _room
    cdef size_t _first
    cdef size_t _count

    # What is to be written: the first `_size` bytes of `_out`.
    cdef bytearray _out
    cdef size_t _out_room
    cdef size_t _size
    cdef uint64_t _position

    cdef list _receipts
    cdef list _again
    # A message that was taken, until no other reply to it can follow.
    cdef object _held
    cdef object _held_letter
    cdef object _held_refusals
    # Whether the content of the oldest transaction was asked for and is not in the buffer yet.
    cdef bint _is_granted
    cdef bint _clean
    cdef int _last_code
    cdef bint _is_told
    # The last final reply and its line: most servers say the same for every message.
    cdef bytes _final_line
    cdef object _final_reply

    cdef readonly size_t awaits
    cdef readonly size_t bytes_in_flight
    cdef readonly size_t answered
    cdef readonly size_t setbacks
    cdef readonly bint closing
    cdef readonly object failure

    def __cinit__(self):
        self._ring = NULL
        self._out = bytearray()
        self._receipts = []
        self._again = []
        self._final_line = b""
        self._clean = True

    def __init__(
            self, form, prepare, *, announces_size=False, size_limit=0, most_recipients=0,
            takes_eight_bits=False, max_line_length=2048, trail=None):
        self._chunked = form == "BDAT"
        self._prepare = prepare
        self._announces_size = announces_size
        self._size_limit = size_limit
        self._most_recipients = most_recipients or PY_SSIZE_T_MAX
        self._takes_eight_bits = takes_eight_bits
        self._trail = trail
        self._parser = ReplyParser(max_line_length)

    def __dealloc__(self):
        while self._count:
            self._forget_first()
        PyMem_Free(self._ring)

    @property
    def in_flight(self):
        """Like the property of the same name in `smtps._pure.window`."""
        return self._count

    @property
    def is_clean(self):
        """Like the property of the same name in `smtps._pure.window`."""
        return self._clean

    @property
    def pending(self):
        """Like the property of the same name in `smtps._pure.window`."""
        return self._size

    # --- what goes out ----------------------------------------------------------------------------

    def add(self, list items, Py_ssize_t start, Py_ssize_t index, Py_ssize_t most, /):
        """Like the method of the same name in `smtps._pure.window`."""
        cdef Py_ssize_t place = start
        cdef object item, envelope, content
        while place < PyList_GET_SIZE(items) and self._has_room(most):
            item = <object> PyList_GET_ITEM(items, place)
            if not PyTuple_CheckExact(item) or PyTuple_GET_SIZE(item) != 2:
                break
            envelope = <object> PyTuple_GET_ITEM(item, 0)
            content = <object> PyTuple_GET_ITEM(item, 1)
            if type(envelope) is not envelope_type or not PyBytes_CheckExact(content):
                break
            if <size_t> PyBytes_GET_SIZE(content) > LARGEST_SIZE:
                break
            if PyTuple_GET_SIZE(<tuple> get_slot(envelope, ADDRESSES)) > self._most_recipients:
                break
            self._add(index + place - start, envelope, content, None)
            place += 1
        return place - start

    def has_room(self, Py_ssize_t most, /):
        """Like the method of the same name in `smtps._pure.window`."""
        return self._has_room(most)

    def add_letter(self, letter, /):
        """Like the method of the same name in `smtps._pure.window`."""
        self._add(letter.number, letter.envelope, letter.content, letter.message_id)

    def outgoing(self):
        """Like the method of the same name in `smtps._pure.window`, without a copy."""
        return memoryview(self._out)[:self._size]

    def written(self):
        """Like the method of the same name in `smtps._pure.window`."""
        self._position += self._size
        self._size = 0

    cdef bint _has_room(self, Py_ssize_t most) noexcept:
        if self._chunked:
            return (
                <Py_ssize_t> self._count < most
                and self._size < BATCH_SIZE
                and self.bytes_in_flight < BYTES_LIMIT
                and self.awaits < REPLIES_LIMIT
            )
        return self._count == 0 or (
            self._count == 1
            and most > 1
            and self._ring[self._first].stage == FINAL
            and not self._is_granted
        )

    cdef int _add(
            self, Py_ssize_t number, object envelope, bytes content, object message_id) except -1:
        cdef const uint8_t *src = <const uint8_t *> PyBytes_AS_STRING(content)
        cdef size_t n = <size_t> PyBytes_GET_SIZE(content)
        cdef smtps_survey_t found
        cdef size_t size
        cdef bint ends = n == 0 or src[n - 1] == c"\n" or src[n - 1] == c"\r"
        cdef Transaction *transaction
        cdef uint8_t state = kernels.SMTPS_AT_LINE_START
        cdef bint is_first = self._count == 0 and self._clean
        memset(&found, 0, sizeof(found))
        kernels.survey(src, n, &found)
        size = n + found.bare_cr + found.bare_lf + (0 if ends else 2)
        if self._size_limit and size > self._size_limit:
            error = TooLarge(size, self._size_limit)
            self._receipts.append(Letter(number, envelope, content, message_id).unsent(error))
            return 0
        cdef tuple addresses = <tuple> <object> get_slot(envelope, ADDRESSES)
        cdef size_t before = self._size
        if not self._put_commands(envelope, addresses, size, found.eight_bit > 0, is_first):
            self._size = before
            try:
                mail, rcpts = self._prepare(envelope, size, found.eight_bit > 0)
            except SMTPSError as error:
                self._receipts.append(Letter(number, envelope, content, message_id).unsent(error))
                return 0
            if not is_first:
                self._put(b"RSET\r\n")
            self._put(mail)
            for rcpt in rcpts:
                self._put(rcpt)
        self._make_room(size + n + COMMANDS)
        cdef uint8_t *out = self._at(self._size)
        if self._chunked:
            out = put_text(out, b"BDAT ", 5)
            out = put_number(out, size)
            out = put_text(out, b" LAST\r\n", 7)
            self._note(before, out)
            if found.bare_cr or found.bare_lf:
                out += kernels.normalize(src, n, out, size, &state)
            else:
                memcpy(out, src, n)
                out += n
            if not ends:
                out = put_text(out, b"\r\n", 2)
        else:
            out = put_text(out, b"DATA\r\n", 6)
            self._note(before, out)
        self._size = <size_t> (out - <uint8_t *> PyByteArray_AS_STRING(self._out))
        self.awaits += PyTuple_GET_SIZE(addresses) + (2 if is_first else 3)
        self.bytes_in_flight += size
        self._clean = False
        transaction = self._push()
        transaction.number = number
        transaction.envelope = own(envelope)
        transaction.content = own(content)
        transaction.message_id = own(message_id)
        transaction.end = self._position + self._size if self._chunked else UINT64_MAX
        transaction.size = size
        transaction.recipients = <uint32_t> PyTuple_GET_SIZE(addresses)
        transaction.stage = MAIL if is_first else RSET
        transaction.begins = is_first
        return 0

    cdef bint _put_commands(
            self, object envelope, tuple addresses, size_t size, bint eight_bit,
            bint is_first) except -1:
        """Put RSET, MAIL and each RCPT of plain addresses; false if there is more to them."""
        cdef object sender = <object> get_slot(envelope, SENDER)
        cdef size_t room = COMMANDS
        cdef uint8_t *out
        if get_slot(envelope, DETAILS) != <PyObject *> None or not is_ascii(sender):
            return False
        room += PyUnicode_GET_LENGTH(sender)
        for address in addresses:
            if not is_ascii(address):
                return False
            room += PyUnicode_GET_LENGTH(address) + RCPT_ROOM
        self._make_room(room)
        out = self._at(self._size)
        if not is_first:
            out = put_text(out, b"RSET\r\n", 6)
        out = put_text(out, b"MAIL FROM:<", 11)
        out = put_address(out, sender)
        if out == NULL:
            return False
        out = put_text(out, b">", 1)
        if self._announces_size:
            out = put_text(out, b" SIZE=", 6)
            out = put_number(out, size)
        if eight_bit and self._takes_eight_bits:
            out = put_text(out, b" BODY=8BITMIME", 14)
        out = put_text(out, b"\r\n", 2)
        for address in addresses:
            out = put_text(out, b"RCPT TO:<", 9)
            out = put_address(out, address)
            if out == NULL:
                return False
            out = put_text(out, b">\r\n", 3)
        self._size = <size_t> (out - <uint8_t *> PyByteArray_AS_STRING(self._out))
        return True

    cdef inline uint8_t *_at(self, size_t place) noexcept:
        return <uint8_t *> PyByteArray_AS_STRING(self._out) + place

    cdef int _note(self, size_t start, const uint8_t *end) except -1:
        """Add the command lines from a place of the buffer on to the trail, if there is one."""
        cdef const uint8_t *lines = self._at(start)
        if self._trail is not None:
            text = lines[:end - lines].decode(errors="backslashreplace")
            self._trail.extend(text.split("\r\n")[:-1])
        return 0

    cdef int _put(self, bytes text) except -1:
        cdef size_t n = <size_t> PyBytes_GET_SIZE(text)
        self._make_room(n)
        memcpy(self._at(self._size), PyBytes_AS_STRING(text), n)
        self._size += n
        return 0

    cdef int _make_room(self, size_t more) except -1:
        """Make the buffer larger where it must be; whoever still looks at the old one keeps it."""
        cdef bytearray larger
        cdef size_t room
        if self._size + more <= self._out_room:
            return 0
        room = max(2 * self._out_room, self._size + more, BATCH_SIZE)
        larger = PyByteArray_FromStringAndSize(NULL, <Py_ssize_t> room)
        memcpy(PyByteArray_AS_STRING(larger), PyByteArray_AS_STRING(self._out), self._size)
        self._out = larger
        self._out_room = room
        return 0

    # --- what comes back --------------------------------------------------------------------------

    def feed(self, bytes data, /):
        """Like the method of the same name in `smtps._pure.window`."""
        try:
            self._feed(<const uint8_t *> PyBytes_AS_STRING(data), <size_t> PyBytes_GET_SIZE(data))
        except ProtocolError as error:
            self._fail(error.reason, None)
        if self.failure is not None:
            return
        if not self._is_parsing and self._held_size == 0 and (
            self._count == 0 or self._ring[self._first].stage != RSET
        ):
            self._release()
        if self._is_granted and not self.closing:
            self._grant()

    def take(self):
        """Like the method of the same name in `smtps._pure.window`."""
        receipts = self._receipts
        self._receipts = []
        return receipts

    def abandon(self, size_t sent, cause, /, *, bint ended=False):
        """Like the method of the same name in `smtps._pure.window`."""
        cdef uint64_t written = self._position + sent
        cdef bint is_told = self._is_told or (ended and self._last_code == 554)
        cdef Transaction *transaction
        self._settle_held()
        again = self._again
        self._again = []
        while self._count:
            transaction = &self._ring[self._first]
            letter = make_letter(transaction)
            refusals = refusals_of(transaction)
            if is_refused(transaction):
                self._receipts.append(letter.refused_early(or_none(transaction.mail), refusals))
            elif transaction.end > written or (is_told and self.failure is None):
                again.append(letter)
            else:
                self._receipts.append(letter.unknown(refusals, cause))
            self._forget_first()
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
            if self._count == 0 or self._is_granted:
                return 0
        elif code < 400:
            self._is_told = False
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
            # Somebody else's errors made the server say 421 here.
            self._again.append(letter)
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

    cdef int _release(self) except -1:
        """Give the receipt of the message that was taken: nothing spoke against it."""
        if self._held is not None:
            self._receipts.append(self._held)
            self._held = None
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

    cdef int _grant(self) except -1:
        """Put the content behind its 354 into the buffer, or its end alone. RFC 2920, 3.1."""
        cdef Transaction *transaction = &self._ring[self._first]
        cdef bytes content = <bytes> transaction.content
        cdef size_t n = <size_t> PyBytes_GET_SIZE(content)
        cdef uint8_t state = kernels.SMTPS_AT_LINE_START
        self._make_room(2 * n + DATA_END)
        cdef uint8_t *out = self._at(self._size)
        if not transaction.nothing:
            out += kernels.stuff(
                <const uint8_t *> PyBytes_AS_STRING(content), n, out, 2 * n, &state)
        if not state & kernels.SMTPS_AT_LINE_START:
            out = put_text(out, b"\r\n", 2)
        out = put_text(out, b".\r\n", 3)
        self._size = <size_t> (out - <uint8_t *> PyByteArray_AS_STRING(self._out))
        if self._trail is not None:
            self._trail.append(".")
        self.awaits += 1
        transaction.end = self._position + self._size
        self._is_granted = False
        return 0

    cdef int _fail(self, str reason, object reply) except -1:
        phase = PHASES[self._ring[self._first].stage] if self._count else Phase.IDLE
        said = f"{reason}: {reply}" if reply is not None else reason
        self.failure = ProtocolError(said, phase=phase, reply=reply)
        return 0

    # --- the ring ---------------------------------------------------------------------------------

    cdef Transaction *_push(self) except NULL:
        """Add a transaction that is all zero."""
        cdef Transaction *larger
        cdef size_t room, head
        if self._count == self._room:
            room = max(2 * self._room, <size_t> 64)
            larger = <Transaction *> PyMem_Realloc(self._ring, room * sizeof(Transaction))
            if larger == NULL:
                raise MemoryError
            # What stood before the first one follows behind the old end now.
            head = self._first
            memcpy(larger + self._room, larger, head * sizeof(Transaction))
            self._ring, self._room = larger, room
        cdef Transaction *added = &self._ring[(self._first + self._count) % self._room]
        memset(added, 0, sizeof(Transaction))
        self._count += 1
        return added

    cdef void _forget_first(self) noexcept:
        cdef Transaction *transaction = &self._ring[self._first]
        self._first = (self._first + 1) % self._room
        self._count -= 1
        Py_XDECREF(transaction.envelope)
        Py_XDECREF(transaction.content)
        Py_XDECREF(transaction.message_id)
        Py_XDECREF(transaction.mail)
        Py_XDECREF(transaction.refusals)


cdef inline PyObject *own(object value) noexcept:
    Py_INCREF(value)
    return <PyObject *> value


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


cdef inline bint is_ascii(object text) noexcept:
    return PyUnicode_CheckExact(text) and PyUnicode_IS_COMPACT_ASCII(text)


cdef inline uint8_t *put_text(uint8_t *out, const char *text, size_t n) noexcept:
    memcpy(out, text, n)
    return out + n


cdef inline uint8_t *put_address(uint8_t *out, object address) noexcept:
    """Put an address of ASCII; NULL if it holds what could end a line or a path."""
    cdef const uint8_t *text = <const uint8_t *> PyUnicode_1BYTE_DATA(address)
    cdef Py_ssize_t n = PyUnicode_GET_LENGTH(address), index
    cdef uint8_t bad = 0
    for index in range(n):
        out[index] = text[index]
        bad |= text[index] <= 0x20 or text[index] == 0x7f or text[index] == c">"
    return NULL if bad else out + n


cdef inline uint8_t *put_number(uint8_t *out, size_t number) noexcept:
    cdef uint8_t digits[20]
    cdef int n = 0
    while True:
        digits[n] = c"0" + number % 10
        number //= 10
        n += 1
        if number == 0:
            break
    while n:
        n -= 1
        out[0] = digits[n]
        out += 1
    return out
