"""Lines of the server, found in whatever pieces the network brings them."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from smtps._fast cimport kernels
from smtps._fast.buffers cimport PY_SSIZE_T_MAX, View, close_view, open_view

from smtps.amounts import check_count

__all__ = ["LineBuffer"]


cdef class LineBuffer:
    """Like the class of the same name in `smtps._pure.lines`."""

    cdef size_t _limit
    # The start of a line whose end is not here yet.
    cdef bytearray _held
    cdef bint _dropping

    def __cinit__(self):
        self._held = bytearray()

    def __init__(self, max_line_length=2048):
        self._limit = min(check_count("max_line_length", max_line_length), PY_SSIZE_T_MAX)
        PyByteArray_Resize(self._held, 0)
        self._dropping = False

    @cython.critical_section
    def feed(self, data, /):
        """Like the method of the same name in `smtps._pure.lines`."""
        cdef View view
        cdef list found = []
        open_view(data, &view)
        try:
            self._split(view.data, view.size, found)
        finally:
            close_view(&view)
        return found

    cdef int _split(self, const uint8_t *src, size_t n, list found) except -1:
        cdef size_t start = 0, end
        while start < n:
            end = start + kernels.find_lf(src + start, n - start)
            if end == n:
                return self._hold(src + start, n - start, found)
            if self._dropping:
                self._dropping = False
            elif PyByteArray_GET_SIZE(self._held):
                self._append(src + start, end - start)
                found.append(self._line(
                    <const uint8_t *> PyByteArray_AS_STRING(self._held),
                    PyByteArray_GET_SIZE(self._held)))
                PyByteArray_Resize(self._held, 0)
            else:
                found.append(self._line(src + start, end - start))
            start = end + 1
        return 0

    cdef bytes _line(self, const uint8_t *src, size_t n):
        """Give a line without its end, cut at the limit."""
        if n and src[n - 1] == c"\r":
            n -= 1
        return src[:min(n, self._limit)]

    cdef int _hold(self, const uint8_t *src, size_t n, list found) except -1:
        """Keep the start of a line, unless it is longer than the limit already."""
        cdef const uint8_t *held
        cdef size_t size
        if self._dropping:
            return 0
        self._append(src, n)
        held = <const uint8_t *> PyByteArray_AS_STRING(self._held)
        size = PyByteArray_GET_SIZE(self._held)
        # One more byte may be the CR of the line's end.
        if size > self._limit + 1 or (size == self._limit + 1 and held[size - 1] != c"\r"):
            found.append(held[:self._limit])
            PyByteArray_Resize(self._held, 0)
            self._dropping = True
        return 0

    cdef int _append(self, const uint8_t *src, size_t n) except -1:
        """Add to what is held; two bytes beyond the limit tell all that is to be known."""
        cdef size_t size = PyByteArray_GET_SIZE(self._held)
        n = min(n, self._limit + 2 - size)
        PyByteArray_Resize(self._held, size + n)
        memcpy(PyByteArray_AS_STRING(self._held) + size, src, n)
        return 0
