"""Replies of the server, parsed from whatever pieces the network brings. RFC 5321, section 4.2."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject
from cpython.tuple cimport PyTuple_New
from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_DecodeUTF8, PyUnicode_GET_LENGTH
from libc.stdint cimport uint8_t
from libc.string cimport memcmp, memcpy

from smtps._fast cimport kernels
from smtps._fast.buffers cimport View, close_view, open_view
from smtps._fast.kernels cimport smtps_line_t
from smtps._fast.records cimport new_record, set_item

from smtps.amounts import check_count
from smtps._pure.replies import changed_code, not_a_reply, too_large, too_many_lines
from smtps.errors import ProtocolError
from smtps.reply import Reply

__all__ = ["ReplyParser"]


cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object)
    void PyObject_GC_UnTrack(void *)


cdef enum:
    # The limits of smtps._pure.replies.
    MOST_BYTES = 256 * 1024
    MOST_LINES = 1000
    # Lines that are taken apart at a time, on the stack.
    BATCH = 64
    # A code and the byte behind it.
    PREFIX = 4
    # Replies that are remembered, and the character that tells "2.1.0 Ok" from "2.1.5 Ok".
    RECENT = 16
    SIGNIFICANT = 4


cdef struct Recent:
    # A reply of one line; the parser's list of replies keeps it, and it keeps the text.
    int code
    size_t size
    const uint8_t *text
    PyObject *reply


cdef class ReplyParser:
    """Like the class of the same name in `smtps._pure.replies`."""

    cdef size_t _limit
    # A text that is shorter is surely not to be cut.
    cdef size_t _shortest
    # The start of a line whose end is not here yet.
    cdef bytearray _held
    # A reply that goes on: its code, its enhanced status and its lines.
    cdef int _code
    cdef object _enhanced
    cdef list _texts
    # What was parsed last, to be given again: an enhanced status, and replies by a hash of each.
    cdef str _status
    cdef Recent _recent[RECENT]
    cdef list _replies
    # The bytes of the reply so far.
    cdef size_t _size
    cdef str _failure
    cdef type _kind

    def __cinit__(self):
        self._held = bytearray()
        self._texts = []
        self._status = ""
        self._replies = [None] * RECENT
        self._failure = ""
        self._kind = Reply

    def __init__(self, max_line_length=2048):
        max_line_length = check_count("max_line_length", max_line_length, least=PREFIX)
        # No line of a reply can be longer than the reply.
        self._limit = min(max_line_length, MOST_BYTES)
        self._shortest = self._limit - PREFIX

    @property
    def pending(self):
        """Like the property of the same name in `smtps._pure.replies`."""
        return self._size > 0 or bool(self._failure)

    @cython.critical_section
    def feed(self, data, /):
        """Like the method of the same name in `smtps._pure.replies`."""
        cdef View view
        cdef list found = []
        if not self._failure:
            open_view(data, &view)
            try:
                self._parse(view.data, view.size, found)
            finally:
                close_view(&view)
        if self._failure and not found:
            raise ProtocolError(self._failure)
        return found

    cdef int _parse(self, const uint8_t *src, size_t n, list found) except -1:
        cdef smtps_line_t lines[BATCH]
        cdef const smtps_line_t *line
        cdef size_t start = 0, end, count, consumed, index
        if PyByteArray_GET_SIZE(self._held):
            start = self._finish_line(src, n, found)
        while start < n and not self._failure:
            count = kernels.scan_reply_lines(src + start, n - start, lines, BATCH, &consumed)
            if count == 0:
                return self._hold(src + start, n - start)
            end = 0
            for index in range(count):
                line = &lines[index]
                # Most replies have one line and come whole.
                if line.last and line.code and self._size == 0 and line.length < self._shortest:
                    found.append(self._recall(src + start + line.start, line.length, line.code))
                    end = line_end(src + start, line)
                    continue
                end = self._take_line(src + start, end, line, found)
                if self._failure:
                    return 0
            start += consumed
        return 0

    cdef size_t _finish_line(self, const uint8_t *src, size_t n, list found) except? 0:
        """Add to the line that is held, and take it if it ends; return what belonged to it."""
        cdef smtps_line_t line
        cdef size_t held, consumed
        cdef size_t size = kernels.find_lf(src, n)
        self._hold(src, size)
        if size == n or self._failure:
            return n
        held = PyByteArray_GET_SIZE(self._held)
        # The line may have been cut, so what is counted for it is not what is held.
        self._size -= held
        PyByteArray_Resize(self._held, held + 1)
        PyByteArray_AS_STRING(self._held)[held] = c"\n"
        kernels.scan_reply_lines(
            <const uint8_t *> PyByteArray_AS_STRING(self._held), held + 1, &line, 1, &consumed)
        self._take_line(<const uint8_t *> PyByteArray_AS_STRING(self._held), 0, &line, found)
        PyByteArray_Resize(self._held, 0)
        return size + 1

    cdef int _hold(self, const uint8_t *src, size_t n) except -1:
        """Keep the start of a line; of a long one, no more than tells where to cut it."""
        cdef size_t size = PyByteArray_GET_SIZE(self._held)
        cdef size_t kept = min(n, self._limit + 2 - size)
        PyByteArray_Resize(self._held, size + kept)
        memcpy(PyByteArray_AS_STRING(self._held) + size, src, kept)
        self._size += n
        if self._size > MOST_BYTES:
            self._failure = too_large()
        return 0

    cdef size_t _take_line(
            self, const uint8_t *src, size_t start, const smtps_line_t *line,
            list found) except? 0:
        """Take the line that begins at `start`; return where the next one begins."""
        cdef const uint8_t *text = src + line.start
        cdef size_t end = line.start + line.length
        cdef size_t shown = min(end - start, self._limit)
        end = line_end(src, line)
        self._size += end - start
        if self._size > MOST_BYTES:
            self._failure = too_large()
        elif line.kind != kernels.SMTPS_LINE_GOOD:
            self._failure = not_a_reply(src[start:start + shown])
        elif self._texts and line.code != self._code:
            self._failure = changed_code(self._code, src[start:start + shown])
        else:
            self._add(line, text, min(line.length, self._limit - PREFIX), found)
        return end

    cdef int _add(
            self, const smtps_line_t *line, const uint8_t *text, size_t size,
            list found) except -1:
        """Add a good line to the reply, and the reply to `found` if the line ends it."""
        if not self._texts:
            self._code = line.code
            if line.last:
                found.append(self._recall(text, size, line.code))
                self._size = 0
                return 0
            self._enhanced = self._enhanced_status(text, size)
        self._texts.append(decode(text, size))
        if line.last:
            found.append(self._make(self._enhanced, tuple(self._texts)))
            self._texts.clear()
            self._size = 0
        elif PyList_GET_SIZE(self._texts) >= MOST_LINES:
            self._failure = too_many_lines()
        return 0

    cdef object _recall(self, const uint8_t *text, size_t size, int code):
        """Give the reply of one line; the same object if the server said just this before.

        Most of what a server says, it says for every message; to find that costs a tenth of making
        it anew.
        """
        cdef Recent *recent = &self._recent[
            (size + (text[SIGNIFICANT] if size > SIGNIFICANT else 0)) % RECENT]
        cdef str words
        cdef object reply
        if recent.code == code and recent.size == size and memcmp(recent.text, text, size) == 0:
            return <object> recent.reply
        words = decode(text, size)
        self._code = code
        texts = PyTuple_New(1)
        set_item(texts, 0, words)
        PyObject_GC_UnTrack(<void *> texts)
        reply = self._make(self._enhanced_status(text, size), texts)
        recent.code = 0
        self._replies[recent - self._recent] = reply
        if PyUnicode_IS_COMPACT_ASCII(words):
            recent.code = code
            recent.size = size
            recent.text = <const uint8_t *> PyUnicode_1BYTE_DATA(words)
            recent.reply = <PyObject *> reply
        return reply

    cdef object _make(self, object enhanced, tuple texts):
        cdef object reply = new_record(self._kind, 3)
        set_item(reply, 0, self._code)
        set_item(reply, 1, enhanced)
        set_item(reply, 2, texts)
        # Numbers and texts refer to nothing; the collector need not visit each reply.
        PyObject_GC_UnTrack(<void *> reply)
        return reply

    cdef object _enhanced_status(self, const uint8_t *text, size_t size):
        """Give the enhanced status that opens a text, if it has the class of the code. RFC 2034."""
        cdef size_t end
        if size < 5 or text[0] == c"3" or text[0] != c"0" + self._code // 100:
            return None
        end = skip_number(text, 1, size)
        end = skip_number(text, end, size) if end else 0
        if end == 0 or (end < size and text[end] != c" "):
            return None
        if not is_text(self._status, text, end):
            self._status = decode(text, end)
        return self._status


cdef inline size_t line_end(const uint8_t *src, const smtps_line_t *line) noexcept:
    """Find where the next line begins."""
    cdef size_t end = line.start + line.length
    return end + (2 if src[end] == c"\r" else 1)


cdef inline str decode(const uint8_t *text, size_t size):
    return PyUnicode_DecodeUTF8(<const char *> text, size, "backslashreplace")


cdef inline bint is_text(object text, const uint8_t *src, size_t size) noexcept:
    """Tell whether a text is these ASCII bytes."""
    return (
        PyUnicode_IS_COMPACT_ASCII(text)
        and <size_t> PyUnicode_GET_LENGTH(text) == size
        and memcmp(PyUnicode_1BYTE_DATA(text), src, size) == 0
    )


cdef inline size_t skip_number(const uint8_t *text, size_t start, size_t size) noexcept:
    """Find the end of a dot and one to three digits; 0 if there is no such thing."""
    cdef size_t at = start + 1
    if start >= size or text[start] != c".":
        return 0
    while at < size and at < start + 4 and c"0" <= text[at] <= c"9":
        at += 1
    return at if at > start + 1 else 0
