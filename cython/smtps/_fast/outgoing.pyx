"""The half of a window that writes: transactions in one buffer, back to back."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH
from libc.stdint cimport UINT64_MAX, uint8_t, uint32_t
from libc.string cimport memcpy, memset

from smtps._fast cimport kernels
from smtps._fast.forms cimport Filled
from smtps._fast.kernels cimport smtps_survey_t
from smtps._fast.slots cimport find_slot, get_slot

from smtps._pure.outgoing import BATCH, LARGEST, MOST_BYTES, MOST_REPLIES
from smtps.envelope import Envelope
from smtps.errors import SMTPSError, TooLarge
from smtps.letter import Letter, nul_in

__all__ = ["Outgoing"]


cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)


cdef enum:
    # Room for all of a transaction but its addresses and its content.
    COMMANDS = 160
    # Room for a RCPT without its address.
    RCPT_ROOM = 16
    # The most bytes of the end of a content: CRLF . CRLF
    DATA_END = 5

cdef size_t BATCH_SIZE = BATCH
cdef size_t LARGEST_SIZE = LARGEST
cdef size_t BYTES_LIMIT = MOST_BYTES
cdef size_t REPLIES_LIMIT = MOST_REPLIES

cdef type envelope_type = Envelope
cdef Py_ssize_t SENDER = find_slot(Envelope, "sender")
cdef Py_ssize_t ADDRESSES = find_slot(Envelope, "addresses")
cdef Py_ssize_t DETAILS = find_slot(Envelope, "_details")


cdef inline bint is_made(object envelope) noexcept:
    """Tell whether the constructor of an envelope was called."""
    return (
        get_slot(envelope, SENDER) != NULL
        and get_slot(envelope, ADDRESSES) != NULL
        and get_slot(envelope, DETAILS) != NULL
    )


cdef class Outgoing:
    """Like the class of the same name in `smtps._pure.outgoing`."""

    def __cinit__(self):
        self._ring = NULL
        self._out = bytearray()
        self._receipts = []
        self._clean = True

    def __init__(
            self, form, prepare, *, announces_size=False, size_limit=0, most_recipients=0,
            takes_eight_bits=False, trail=None):
        self._chunked = form == "BDAT"
        self._prepare = prepare
        self._announces_size = announces_size
        self._size_limit = size_limit
        self._most_recipients = most_recipients or PY_SSIZE_T_MAX
        self._takes_eight_bits = takes_eight_bits
        self._trail = trail

    def __dealloc__(self):
        while self._count:
            self._forget_first()
        PyMem_Free(self._ring)

    @property
    def in_flight(self):
        """Like the property of the same name in `smtps._pure.outgoing`."""
        return self._count

    @property
    def is_clean(self):
        """Like the property of the same name in `smtps._pure.outgoing`."""
        return self._clean

    @property
    def pending(self):
        """Like the property of the same name in `smtps._pure.outgoing`."""
        return self._size

    @cython.critical_section
    def add(self, list items, Py_ssize_t start, Py_ssize_t index, Py_ssize_t most, /):
        """Like the method of the same name in `smtps._pure.outgoing`."""
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
            if not is_made(envelope):
                break
            if PyTuple_GET_SIZE(<tuple> get_slot(envelope, ADDRESSES)) > self._most_recipients:
                break
            self._add(index + place - start, envelope, content, None)
            place += 1
        return place - start

    @cython.critical_section
    def has_room(self, Py_ssize_t most, /):
        """Like the method of the same name in `smtps._pure.outgoing`."""
        return self._has_room(most)

    @cython.critical_section
    def add_letter(self, letter, /):
        """Like the method of the same name in `smtps._pure.outgoing`."""
        content = letter.content
        if type(content) is not Filled:
            content = letter.whole
        self._add(letter.number, letter.envelope, content, letter.message_id)

    @cython.critical_section
    def outgoing(self):
        """Like the method of the same name in `smtps._pure.outgoing`, without a copy."""
        cdef size_t before = self._size
        if before and self._ends_with_content():
            self._put(b"RSET\r\n")
            self._note(before, self._at(self._size))
            self.awaits += 1
            self._has_reset = True
        return memoryview(self._out)[:self._size]

    @cython.critical_section
    def written(self):
        """Like the method of the same name in `smtps._pure.outgoing`."""
        self._position += self._size
        self._size = 0

    cdef bint _ends_with_content(self) noexcept:
        if self._chunked:
            return not self._has_reset
        # With DATA nothing is behind the content that was asked for but the next transaction.
        return self._count == 1 and self._ring[self._first].stage == FINAL

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
            self, Py_ssize_t number, object envelope, object content, object message_id) except -1:
        cdef const uint8_t *src = NULL
        cdef size_t n = 0
        cdef smtps_survey_t found
        cdef size_t size
        cdef bint ends = True
        cdef Transaction *transaction
        cdef uint8_t state = kernels.SMTPS_AT_LINE_START
        cdef bint is_first = self._count == 0 and self._clean and not self._has_reset
        cdef bint resets = not is_first and not self._has_reset
        cdef bint is_filled = type(content) is Filled
        memset(&found, 0, sizeof(found))
        if is_filled:
            # It was looked at when it was cut.
            size = (<Filled> content).size
            found.eight_bit = (<Filled> content).eight_bit
        else:
            src = <const uint8_t *> PyBytes_AS_STRING(<bytes> content)
            n = <size_t> PyBytes_GET_SIZE(<bytes> content)
            ends = n == 0 or src[n - 1] == c"\n" or src[n - 1] == c"\r"
            kernels.survey(src, n, &found)
            size = n + found.bare_cr + found.bare_lf + (0 if ends else 2)
        if found.nul:
            error = nul_in(content)
            self._receipts.append(Letter(number, envelope, content, message_id).unsent(error))
            return 0
        if self._size_limit and size > self._size_limit:
            error = TooLarge(size, self._size_limit)
            self._receipts.append(Letter(number, envelope, content, message_id).unsent(error))
            return 0
        cdef tuple addresses = <tuple> <object> get_slot(envelope, ADDRESSES)
        cdef size_t before = self._size
        if not self._put_commands(envelope, addresses, size, found.eight_bit > 0, resets):
            self._size = before
            try:
                mail, rcpts = self._prepare(envelope, size, found.eight_bit > 0)
            except SMTPSError as error:
                self._receipts.append(Letter(number, envelope, content, message_id).unsent(error))
                return 0
            if resets:
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
            if is_filled:
                out = (<Filled> content).put(out)
            elif found.bare_cr or found.bare_lf:
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
        self.awaits += PyTuple_GET_SIZE(addresses) + (3 if resets else 2)
        self.bytes_in_flight += size
        self._clean = self._has_reset = False
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
            bint resets) except -1:
        """Put RSET unless it is there, MAIL and RCPT of plain addresses; false if more is to do."""
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
        if resets:
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

    cdef uint8_t *_at(self, size_t place) noexcept:
        return <uint8_t *> PyByteArray_AS_STRING(self._out) + place

    cdef int _note(self, size_t start, const uint8_t *end) except -1:
        """Add the command lines from a place of the buffer on to the trail, if there is one."""
        cdef const uint8_t *lines = self._at(start)
        cdef size_t size = <size_t> (end - lines)
        if self._trail is not None:
            text = lines[:size].decode(errors="backslashreplace")
            shown = text.split("\r\n")
            # Behind the last line end is nothing.
            shown.pop()
            self._trail.extend(shown)
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

    cdef int _grant(self) except -1:
        """Put the content behind its 354 into the buffer, or its end alone. RFC 2920, 3.1."""
        cdef Transaction *transaction = &self._ring[self._first]
        cdef object given = <object> transaction.content
        cdef bytes content = given if PyBytes_CheckExact(given) else given.whole()
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
