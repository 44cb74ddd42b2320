"""Quoted-printable of text. RFC 2045, section 6.7."""

from libc.stdint cimport SIZE_MAX, uint8_t

from smtps._fast cimport kernels
from smtps._fast.buffers cimport (
    GIL_THRESHOLD, Growing, View, close_growing, close_view, growing_end, keep_room, open_growing,
    open_view
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
    cdef Growing growing
    open_growing(&growing, quoted_printable_room(n))
    append_quoted_printable(&growing, src, n)
    return close_growing(&growing)


cdef size_t quoted_printable_room(size_t n) except 0:
    # At worst the output is three times as long, usually it is hardly longer: so room for the
    # worst is only kept for a slice of whole lines. Memory that is touched first is the dearest.
    if n > SIZE_MAX // 8:
        raise MemoryError
    return n + n // 4 + kernels.quoted_printable_bound(SLICE)


cdef int append_quoted_printable(Growing *growing, const uint8_t *src, size_t n) except -1:
    cdef size_t done = 0, step
    while done < n:
        step = whole_lines(src + done, n - done)
        keep_room(growing, kernels.quoted_printable_bound(step))
        growing.size += run(src + done, step, growing_end(growing))
        done += step
    return 0


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
