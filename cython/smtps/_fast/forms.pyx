"""Messages of texts with fields: cut once, put together for each row as rows come."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from smtps._fast cimport kernels
from smtps._fast.buffers cimport new_bytes, raw_bytes, take_bytes
from smtps._fast.fields cimport mailbox_field
from smtps._fast.records cimport new_record
from smtps._fast.slots cimport find_slot, set_slot

from html import escape

from smtps._fast.addresses import plain_addresses, plain_mailbox
from smtps._fast.dots import normalize_newlines
from smtps._fast.fields import text_field
from smtps._pure.texts import text_headers
from smtps.envelope import Envelope

__all__ = ["Filled", "Form", "take_values"]


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    bint PyUnicode_CheckExact(object)
    bint PyDict_CheckExact(object)
    PyObject *PyDict_GetItemWithError(object, object) except? NULL


cdef enum:
    # The limit of smtps._pure.texts.
    LONGEST_LINE = 998

cdef type envelope_type = Envelope
cdef Py_ssize_t SENDER = find_slot(Envelope, "sender")
cdef Py_ssize_t ADDRESSES = find_slot(Envelope, "addresses")
cdef Py_ssize_t RECIPIENTS = find_slot(Envelope, "_recipients")
cdef Py_ssize_t DETAILS = find_slot(Envelope, "_details")


cdef struct Value:
    size_t size
    # The bytes before its first line end, of its longest line, and behind its last line end.
    size_t first
    size_t longest
    size_t last
    size_t breaks
    bint eight_bit
    bint is_special
    bint is_odd


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Filled:
    """Like the class of the same name in `smtps._pure.forms`; the content is made when it goes."""

    def __len__(self):
        """How many bytes it has."""
        return self.size

    def whole(self):
        """Like the method of the same name in `smtps._pure.forms`."""
        cdef PyObject *result = new_bytes(self.size)
        content = take_bytes(result)
        self.put(<uint8_t *> raw_bytes(result))
        return content

    cdef uint8_t *put(self, uint8_t *out) except NULL:
        """Write the content, `size` bytes; return its end."""
        cdef Py_ssize_t index, at, size
        cdef Text *text
        cdef Piece *piece
        cdef const char *value
        cdef tuple values
        out = put_bytes(out, self._head)
        for index in range(self._form._count):
            text = &self._form._texts[index]
            values = self._shown if text.is_html else self._plain
            if self._form._count > 1:
                out = put_bytes(out, self._line)
                out = put_text(out, b"\r\n", 2)
            out = put_bytes(out, <bytes> self._labels[index])
            for at in range(text.count):
                piece = &text.pieces[at]
                out = put_text(out, <const char *> piece.data, piece.size)
                if piece.field >= 0:
                    value = PyUnicode_AsUTF8AndSize(
                        <object> PyTuple_GET_ITEM(values, piece.field), &size)
                    out = put_text(out, value, size)
        if self._form._count > 1:
            out = put_bytes(out, self._line)
            out = put_text(out, b"--\r\n", 4)
        if self._lacks_end:
            out = put_text(out, b"\r\n", 2)
        return out


@cython.final
cdef class Form:
    """Like the class of the same name in `smtps._pure.forms`."""

    def __cinit__(self):
        self._kept = []
        self._labels = []
        memset(self._texts, 0, sizeof(self._texts))

    def __init__(self, sender, name, address, subject, before, behind, texts):
        if self._labels:
            raise TypeError("a form is made once")
        self._sender = sender
        self._name = name
        self._address = address
        self._subject = subject
        self._before = before
        self._behind = behind
        for cut in (name, address, subject):
            if cut is not None and any([place >= MOST_FIELDS for place in cut[1]]):
                self._is_odd = True
        if not 1 <= len(texts) <= MOST_TEXTS:
            self._is_odd = True
            return
        for subtype, cut in texts:
            self._labels.append((
                text_headers(subtype, "us-ascii", "7bit"), text_headers(subtype, "utf-8", "8bit")))
            self._texts[self._count].is_html = subtype == "html"
            self._cut(&self._texts[self._count], cut)
            self._count += 1

    def __dealloc__(self):
        for index in range(MOST_TEXTS):
            PyMem_Free(self._texts[index].pieces)

    cdef int _cut(self, Text *text, object cut) except -1:
        """Take in the pieces of a text."""
        cdef kernels.smtps_survey_t look
        cdef Piece *piece
        cdef bytes data
        cdef size_t at
        cdef tuple pieces, places
        pieces, places = cut
        PyMem_Free(text.pieces)
        text.pieces = <Piece *> PyMem_Calloc(len(pieces), sizeof(Piece))
        if text.pieces == NULL:
            raise MemoryError
        text.count = len(pieces)
        for index, given in enumerate(pieces):
            piece = &text.pieces[index]
            data = normalize_newlines(given.encode())
            self._kept.append(data)
            piece.data = <const uint8_t *> PyBytes_AS_STRING(data)
            piece.size = <size_t> PyBytes_GET_SIZE(data)
            piece.field = places[index] if index < len(places) else -1
            self._needed = max(self._needed, piece.field + 1)
            memset(&look, 0, sizeof(look))
            kernels.survey(piece.data, piece.size, &look)
            piece.breaks = look.crlf > 0
            piece.first = kernels.find_lf(piece.data, piece.size) - piece.breaks
            at = piece.size
            while at and piece.data[at - 1] != c"\n":
                at -= 1
            piece.last = piece.size - at
            text.size += piece.size
            text.eight_bit |= look.eight_bit > 0
            # A CR at an edge may be half of a line end.
            if given.endswith("\r") or look.nul or look.longest_line > LONGEST_LINE or (
                piece.field >= MOST_FIELDS
            ):
                self._is_odd = True
        return 0

    def fill(
            self, tuple values, str boundary, str date, str message_id, bytes headers,
            bint eight_bit):
        """Like the method of the same name in `smtps._pure.forms`."""
        cdef Value[MOST_FIELDS] looks
        cdef Value[MOST_FIELDS] looks_in_html
        cdef Value *used
        cdef bint ends = False, is_eight_bit
        cdef size_t size = 0
        cdef Py_ssize_t index
        cdef Text *text
        if self._is_odd or PyTuple_GET_SIZE(values) > MOST_FIELDS:
            return None
        if PyTuple_GET_SIZE(values) < self._needed:
            raise IndexError("tuple index out of range")
        plain = as_they_go(values, looks, False)
        if plain is None:
            return None
        shown = as_they_go(values, looks_in_html, True)
        found = plain_mailbox(join(self._address, values))
        if found is None:
            return None
        local, domain, name = found
        if self._name is not None:
            name = join(self._name, values).strip()
        recipients = plain_addresses(self._sender, (f"{local}@{domain}",))
        if recipients is None or not is_clean(name):
            return None
        to = mailbox_field("To", local, domain, name)
        subject = b""
        if self._subject is not None:
            subject = join(self._subject, values)
            if not is_clean(subject):
                return None
            subject = text_field("Subject", subject) if subject else b""
        if to is None or subject is None:
            return None
        cdef Filled filled = Filled.__new__(Filled)
        labels = []
        for index in range(self._count):
            text = &self._texts[index]
            is_eight_bit = text.eight_bit
            used = looks
            if text.is_html:
                used = looks_in_html
            if not fit(text, used, &size, &is_eight_bit, &ends):
                return None
            if is_eight_bit and not eight_bit:
                return None
            label = (<tuple> self._labels[index])[is_eight_bit]
            size += <size_t> PyBytes_GET_SIZE(label)
            labels.append(label)
            filled.eight_bit |= is_eight_bit
        head = (
            self._before, to, self._behind, subject,
            f"Date: {date}\r\nMessage-ID: {message_id}\r\n".encode("ascii"), headers,
        )
        if self._count > 1:
            own = b"=_alt_" + boundary.encode("ascii")
            filled._line = b"\r\n--" + own
            size += (self._count + 1) * PyBytes_GET_SIZE(filled._line) + 2 * self._count + 4
            filled._head = b"".join((
                *head, b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"",
                own, b"\"\r\n",
            ))
        else:
            filled._head = b"".join((*head, b"MIME-Version: 1.0\r\n"))
            filled._lacks_end = not ends
            size += 2 * filled._lacks_end
        filled.size = size + <size_t> PyBytes_GET_SIZE(filled._head)
        filled._form = self
        filled._labels = labels
        filled._plain = plain
        filled._shown = shown
        filled.envelope = plain_envelope(self._sender, recipients)
        filled.boundary = boundary
        filled.date = date
        filled.message_id = message_id
        return filled


def take_values(row, tuple names, /):
    """Like the function of the same name in `smtps._pure.forms`."""
    cdef Py_ssize_t count = PyTuple_GET_SIZE(names), index, size
    cdef PyObject *value
    if not PyDict_CheckExact(row) or count > MOST_FIELDS:
        return None
    cdef list values = []
    for index in range(count):
        value = PyDict_GetItemWithError(row, <object> PyTuple_GET_ITEM(names, index))
        if value == NULL or not PyUnicode_CheckExact(<object> value):
            return None
        values.append(<object> value)
    for one in values:
        try:
            PyUnicode_AsUTF8AndSize(one, &size)
        except UnicodeEncodeError:
            return None
    return tuple(values)


cdef object plain_envelope(object sender, object addresses):
    """Make an envelope of nothing but plain addresses."""
    envelope = new_record(envelope_type, 0)
    set_slot(envelope, SENDER, sender)
    set_slot(envelope, ADDRESSES, addresses)
    set_slot(envelope, RECIPIENTS, None)
    set_slot(envelope, DETAILS, None)
    return envelope


cdef str join(object cut, tuple values):
    """Put values into a text, which often is one of them and nothing else."""
    cdef tuple pieces, places
    pieces, places = cut
    cdef Py_ssize_t index
    if len(pieces) == 2 and pieces[0] == "" and pieces[1] == "":
        return values[places[0]]
    cdef list filled = [pieces[0]]
    for index in range(len(places)):
        filled.append(values[places[index]])
        filled.append(pieces[index + 1])
    return "".join(filled)


cdef tuple as_they_go(tuple values, Value *looks, bint is_html):
    """Give values as they stand in a text, and look at each; None if one is not a usual one."""
    cdef Py_ssize_t index
    cdef list changed = None
    for index in range(PyTuple_GET_SIZE(values)):
        value = <object> PyTuple_GET_ITEM(values, index)
        look_at(value, &looks[index])
        if looks[index].is_odd:
            return None
        if looks[index].breaks or (is_html and looks[index].is_special):
            if is_html and looks[index].is_special:
                value = escape(value)
                look_at(value, &looks[index])
            if looks[index].breaks:
                value = value.replace("\n", "\r\n")
                looks[index].size += looks[index].breaks
            if changed is None:
                changed = list(values)
            changed[index] = value
    return values if changed is None else tuple(changed)


cdef int look_at(object value, Value *look) except -1:
    """See what a value holds; line ends are not counted in the lengths of lines."""
    cdef Py_ssize_t size, at, start = 0
    cdef const uint8_t *text = <const uint8_t *> PyUnicode_AsUTF8AndSize(value, &size)
    cdef uint8_t byte
    memset(look, 0, sizeof(Value))
    look.size = size
    for at in range(size):
        byte = text[at]
        if byte > c">":
            look.eight_bit |= byte > 0x7F
        elif byte == c"\n":
            if look.breaks == 0:
                look.first = at
            look.longest = max(look.longest, <size_t> (at - start))
            look.breaks += 1
            start = at + 1
        elif byte == c"\r" or byte == 0:
            look.is_odd = True
        elif byte == c"&" or byte == c"<" or byte == c">" or byte == c'"' or byte == c"'":
            look.is_special = True
    look.last = size - start
    return 0


cdef bint fit(
        const Text *text, const Value *looks, size_t *size, bint *eight_bit,
        bint *ends) noexcept:
    """Tell whether a text with these values is short in every line, and add what it comes to."""
    cdef size_t line = 0, total = text.size
    cdef Py_ssize_t at
    cdef const Piece *piece
    cdef const Value *look
    for at in range(text.count):
        piece = &text.pieces[at]
        if piece.breaks:
            if line + piece.first > LONGEST_LINE:
                return False
            line = piece.last
        else:
            line += piece.size
        if piece.size:
            ends[0] = piece.data[piece.size - 1] == c"\n"
        if piece.field < 0:
            continue
        look = &looks[piece.field]
        total += look.size
        eight_bit[0] |= look.eight_bit
        if look.breaks:
            if line + look.first > LONGEST_LINE or look.longest > LONGEST_LINE:
                return False
            line = look.last
        else:
            line += look.size
        if look.size:
            ends[0] = look.breaks > 0 and look.last == 0
    size[0] += total
    return line <= LONGEST_LINE and total > 0


cdef bint is_clean(object text) except -1:
    """Tell whether a text can stand in a header: there is no control character of ASCII in it."""
    cdef Py_ssize_t size, at
    cdef const uint8_t *utf8 = <const uint8_t *> PyUnicode_AsUTF8AndSize(text, &size)
    for at in range(size):
        if utf8[at] < 0x20 or utf8[at] == 0x7F:
            return False
    return True


cdef inline uint8_t *put_bytes(uint8_t *out, bytes data) noexcept:
    return put_text(out, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef inline uint8_t *put_text(uint8_t *out, const char *data, size_t size) noexcept:
    memcpy(out, data, size)
    return out + size
