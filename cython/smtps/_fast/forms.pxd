# Messages that are put into the buffer of a window without having been whole anywhere.
from libc.stdint cimport uint8_t


cdef enum:
    # Texts of a message, and the fields of all of them.
    MOST_TEXTS = 2
    MOST_FIELDS = 64

cdef struct Piece:
    # A piece of a text that does not change, its newlines CRLF.
    const uint8_t *data
    size_t size
    # The bytes before its first line end, and behind its last one, if it has any.
    size_t first
    size_t last
    bint breaks
    # The place of the value behind it; -1 at the end of the text.
    Py_ssize_t field

cdef struct Text:
    Piece *pieces
    Py_ssize_t count
    # Of all pieces together.
    size_t size
    bint eight_bit
    bint is_html


cdef class Form:
    cdef object _sender
    cdef object _name
    cdef object _address
    cdef object _subject
    cdef bytes _before
    cdef bytes _behind
    cdef Text[MOST_TEXTS] _texts
    cdef Py_ssize_t _count
    # The values that the texts need.
    cdef Py_ssize_t _needed
    # What the texts point into, and the header lines of each in 7 bits and in 8.
    cdef list _kept
    cdef list _labels
    cdef bint _is_odd

    cdef int _cut(self, Text *text, object cut) except -1


cdef class Filled:
    cdef Form _form
    cdef bytes _head
    # What begins the line before each text, if there are several.
    cdef bytes _line
    # The header lines of each text.
    cdef list _labels
    # The values as they stand in text, and in HTML.
    cdef tuple _plain
    cdef tuple _shown
    cdef bint _lacks_end
    cdef size_t size
    cdef readonly bint eight_bit
    cdef readonly object envelope
    cdef readonly object boundary
    cdef readonly object date
    cdef readonly object message_id

    cdef uint8_t *put(self, uint8_t *out) except NULL
