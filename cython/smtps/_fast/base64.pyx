"""Base64 in the lines of MIME. RFC 2045, section 6.8."""

cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from smtps._fast cimport kernels
from smtps._fast.buffers cimport (
    GIL_THRESHOLD, PyObject, Target, View, close_target, close_view, new_bytes, open_target,
    open_view, part_from, raw_bytes, take_bytes
)

__all__ = ["Base64Encoder", "encode_base64", "encode_base64_into"]


cdef enum:
    # The bytes that fill a line of 76 characters.
    LINE = 57


def encode_base64(data, /):
    """Like the function of the same name in `smtps._pure.base64`."""
    cdef View view
    open_view(data, &view)
    try:
        return encode_all(view.data, view.size)
    finally:
        close_view(&view)


def encode_base64_into(data, buffer, /):
    """Like the function of the same name in `smtps._pure.base64`."""
    cdef View view
    cdef Target target
    cdef size_t size
    open_view(data, &view)
    try:
        size = kernels.base64_size(view.size)
        open_target(buffer, &target, size)
        try:
            _apart = part_from(&view, &target)
            encode(view.data, view.size, target.data)
        finally:
            close_target(&target)
        return size
    finally:
        close_view(&view)


cdef class Base64Encoder:
    """Like the class of the same name in `smtps._pure.base64`."""

    # The start of a line that is not full, and how long it is.
    cdef uint8_t _held[LINE]
    cdef size_t _count

    @cython.critical_section
    def update(self, chunk, /):
        """Like the method of the same name in `smtps._pure.base64`."""
        cdef View view
        cdef PyObject *result
        open_view(chunk, &view)
        try:
            result = new_bytes(kernels.base64_size(self._full(view.size)))
            self._encode(view.data, view.size, <uint8_t *> raw_bytes(result))
            return take_bytes(result)
        finally:
            close_view(&view)

    @cython.critical_section
    def update_into(self, chunk, buffer, /):
        """Like the method of the same name in `smtps._pure.base64`."""
        cdef View view
        cdef Target target
        cdef size_t size
        open_view(chunk, &view)
        try:
            size = kernels.base64_size(self._full(view.size))
            open_target(buffer, &target, size)
            try:
                _apart = part_from(&view, &target)
                self._encode(view.data, view.size, target.data)
            finally:
                close_target(&target)
            return size
        finally:
            close_view(&view)

    @cython.critical_section
    def finish(self):
        """Like the method of the same name in `smtps._pure.base64`."""
        cdef size_t count = self._count
        self._count = 0
        return encode_all(self._held, count)

    cdef size_t _full(self, size_t size) noexcept:
        """How many bytes will lie in full lines once `size` more are here."""
        cdef size_t total = self._count + size
        return total - total % LINE

    cdef void _encode(self, const uint8_t *src, size_t n, uint8_t *dst) noexcept:
        cdef size_t taken
        if self._count:
            taken = min(LINE - self._count, n)
            memcpy(self._held + self._count, src, taken)
            self._count += taken
            if self._count < LINE:
                return
            dst += kernels.base64(self._held, LINE, dst)
            src += taken
            n -= taken
        self._count = n % LINE
        n -= self._count
        encode(src, n, dst)
        memcpy(self._held, src + n, self._count)


cdef object encode_all(const uint8_t *src, size_t n):
    cdef PyObject *result = new_bytes(kernels.base64_size(n))
    encode(src, n, <uint8_t *> raw_bytes(result))
    return take_bytes(result)


cdef inline void encode(const uint8_t *src, size_t n, uint8_t *dst) noexcept:
    # The size of the output depends on n alone: nobody who changes the source can overflow it.
    if n >= GIL_THRESHOLD:
        with nogil:
            kernels.base64(src, n, dst)
    else:
        kernels.base64(src, n, dst)
