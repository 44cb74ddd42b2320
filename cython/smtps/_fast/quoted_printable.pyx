"""Quoted-printable of text. RFC 2045, section 6.7."""

from libc.stdint cimport SIZE_MAX, uint8_t

from smtps._fast cimport kernels
from smtps._fast.buffers cimport (
    GIL_THRESHOLD, PyObject, View, close_view, new_bytes, open_view, raw_bytes, resize_bytes,
    take_bytes
)

__all__ = ["encode_quoted_printable"]


cdef enum:
    # Up to this many bytes the output is made on the stack, from whole lines of about as many.
    SMALL = 1024
    SLICE = 16384


def encode_quoted_printable(data, /):
    """Like the function of the same name in `smtps._pure.quoted_printable`."""
    cdef View view
    cdef uint8_t small[4 * SMALL]
    open_view(data, &view)
    try:
        if view.size <= SMALL:
            return small[:kernels.quoted_printable(view.data, view.size, small)]
        return encode_large(view.data, view.size)
    finally:
        close_view(&view)


cdef object encode_large(const uint8_t *src, size_t n):
    # At worst the output is three times as long, usually it is hardly longer: so room for the
    # worst is only kept for a slice of whole lines. Memory that is touched first is the dearest.
    if n > SIZE_MAX // 8:
        raise MemoryError
    cdef size_t room = n + n // 4 + kernels.quoted_printable_bound(SLICE)
    cdef size_t size = 0, done = 0, step, needed
    cdef PyObject *result = new_bytes(room)
    cdef uint8_t *dst = <uint8_t *> raw_bytes(result)
    while done < n:
        step = whole_lines(src + done, n - done)
        needed = kernels.quoted_printable_bound(step)
        if room - size < needed:
            room += room // 2 + needed
            resize_bytes(&result, room)
            dst = <uint8_t *> raw_bytes(result)
        size += run(src + done, step, dst + size)
        done += step
    resize_bytes(&result, size)
    return take_bytes(result)


cdef inline size_t run(const uint8_t *src, size_t n, uint8_t *dst) noexcept:
    cdef size_t size
    if n < GIL_THRESHOLD:
        return kernels.quoted_printable(src, n, dst)
    with nogil:
        size = kernels.quoted_printable(src, n, dst)
    return size


cdef size_t whole_lines(const uint8_t *src, size_t n) noexcept:
    """Find how many bytes of a slice, or of what is longer than one, end with a line."""
    cdef size_t step = SLICE
    if n <= SLICE:
        return n
    while step > 0 and src[step - 1] != c"\n":
        step -= 1
    if step > 0:
        return step
    return min(SLICE + kernels.find_lf(src + SLICE, n - SLICE) + 1, n)
