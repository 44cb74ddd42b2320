# The half of a window that writes, for the other half, which inherits it.
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef enum Stage:
    # What the oldest transaction awaits next.
    RSET
    MAIL
    RCPT
    DATA
    FINAL


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


cdef class Outgoing:
    cdef bint _chunked
    cdef object _prepare
    cdef bint _announces_size
    cdef size_t _size_limit
    cdef Py_ssize_t _most_recipients
    cdef bint _takes_eight_bits
    cdef object _trail

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
    # Whether the content of the oldest transaction was asked for and is not in the buffer yet.
    cdef bint _is_granted
    # Whether RSET is there for the transaction that comes next, or to end the last.
    cdef bint _has_reset
    cdef bint _clean

    cdef readonly size_t awaits
    cdef readonly size_t bytes_in_flight

    cdef bint _has_room(self, Py_ssize_t most) noexcept
    cdef int _add(
        self, Py_ssize_t number, object envelope, object content, object message_id) except -1
    cdef bint _put_commands(
        self, object envelope, tuple addresses, size_t size, bint eight_bit,
        bint resets) except -1
    cdef bint _ends_with_content(self) noexcept
    cdef uint8_t *_at(self, size_t place) noexcept
    cdef int _note(self, size_t start, const uint8_t *end) except -1
    cdef int _put(self, bytes text) except -1
    cdef int _make_room(self, size_t more) except -1
    cdef int _grant(self) except -1
    cdef Transaction *_push(self) except NULL
    cdef void _forget_first(self) noexcept


cdef inline PyObject *own(object value) noexcept:
    Py_INCREF(value)
    return <PyObject *> value
