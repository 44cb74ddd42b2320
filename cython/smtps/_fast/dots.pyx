"""Newlines made CRLF, and dots doubled, so that a body cannot end DATA early. RFC 5321, 4.5.2."""

cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from smtps._fast cimport kernels
from smtps._fast.buffers cimport (
    GIL_THRESHOLD, PyObject, Target, View, close_target, close_view,
    new_bytes, open_target, open_view, part_from, raw_bytes, resize_bytes, take_bytes
)

__all__ = [
    "DotStuffer",
    "dot_stuff",
    "dot_stuff_into",
    "normalize_newlines",
    "normalize_newlines_into",
]

ctypedef size_t (*Kernel)(
    const uint8_t *, size_t, uint8_t *, size_t, uint8_t *) noexcept nogil


cdef enum:
    # Up to this many bytes the output is made on the stack.
    SMALL = 1024
    # The most bytes of a body's end: CRLF . CRLF
    END = 5
    # The least input worth another pass before the output is made larger.
    STEP = 4096


def normalize_newlines(data, /):
    """Like the function of the same name in `smtps._pure.dots`."""
    cdef View view
    cdef uint8_t state = kernels.SMTPS_AT_LINE_START
    open_view(data, &view)
    try:
        return rewrite(kernels.normalize, view.data, view.size, &state, False)
    finally:
        close_view(&view)


def normalize_newlines_into(data, buffer, /):
    """Like the function of the same name in `smtps._pure.dots`."""
    cdef View view
    cdef uint8_t state = kernels.SMTPS_AT_LINE_START
    open_view(data, &view)
    try:
        return rewrite_into(kernels.normalize, &view, buffer, &state, False)
    finally:
        close_view(&view)


def dot_stuff(data, /):
    """Like the function of the same name in `smtps._pure.dots`."""
    cdef View view
    cdef uint8_t state = kernels.SMTPS_AT_LINE_START
    open_view(data, &view)
    try:
        return rewrite(kernels.stuff, view.data, view.size, &state, True)
    finally:
        close_view(&view)


def dot_stuff_into(data, buffer, /):
    """Like the function of the same name in `smtps._pure.dots`."""
    cdef View view
    cdef uint8_t state = kernels.SMTPS_AT_LINE_START
    open_view(data, &view)
    try:
        return rewrite_into(kernels.stuff, &view, buffer, &state, True)
    finally:
        close_view(&view)


cdef class DotStuffer:
    """Like the class of the same name in `smtps._pure.dots`."""

    cdef uint8_t _state

    def __cinit__(self):
        self._state = kernels.SMTPS_AT_LINE_START

    @cython.critical_section
    def update(self, chunk, /):
        """Like the method of the same name in `smtps._pure.dots`."""
        cdef View view
        open_view(chunk, &view)
        try:
            return rewrite(kernels.stuff, view.data, view.size, &self._state, False)
        finally:
            close_view(&view)

    @cython.critical_section
    def update_into(self, chunk, buffer, /):
        """Like the method of the same name in `smtps._pure.dots`."""
        cdef View view
        open_view(chunk, &view)
        try:
            return rewrite_into(kernels.stuff, &view, buffer, &self._state, False)
        finally:
            close_view(&view)

    @cython.critical_section
    def finish(self):
        """Like the method of the same name in `smtps._pure.dots`."""
        cdef uint8_t end[END]
        cdef size_t size = write_end(end, self._state)
        self._state = kernels.SMTPS_AT_LINE_START
        return end[:size]


cdef object rewrite(Kernel kernel, const uint8_t *src, size_t n, uint8_t *state, bint ends):
    """Give what a kernel makes of the source, and the end of the body behind it if `ends`."""
    cdef uint8_t small[2 * SMALL + END]
    cdef size_t size
    if n > SMALL:
        return rewrite_large(kernel, src, n, state, ends)
    size = kernel(src, n, small, sizeof(small), state)
    if ends:
        size += write_end(small + size, state[0])
    return small[:size]


cdef object rewrite_large(Kernel kernel, const uint8_t *src, size_t n, uint8_t *state, bint ends):
    # Most bodies grow by some percent at most, few double. The room is a guess that suits nearly
    # all; no step takes more input than its room can hold at worst, so nothing overflows, not even
    # if someone changes the source meanwhile.
    cdef size_t room = n + n // 4, size = 0, done = 0, step
    cdef PyObject *result = new_bytes(room + END)
    cdef uint8_t *dst = <uint8_t *> raw_bytes(result)
    while done < n:
        step = min(n - done, (room - size) // 2)
        if step < STEP and step < n - done:
            room = size + 2 * (n - done)
            resize_bytes(&result, room + END)
            dst = <uint8_t *> raw_bytes(result)
            step = n - done
        size += run(kernel, src + done, step, dst + size, room - size, state)
        done += step
    if ends:
        size += write_end(dst + size, state[0])
    resize_bytes(&result, size)
    return take_bytes(result)


cdef object rewrite_into(Kernel kernel, View *view, object buffer, uint8_t *state, bint ends):
    """Like `rewrite`, into a buffer of the caller that has room for the worst case."""
    cdef Target target
    cdef size_t size
    open_target(buffer, &target, 2 * view.size + (END if ends else 0))
    try:
        _apart = part_from(view, &target)
        size = run(kernel, view.data, view.size, target.data, target.size, state)
        if ends:
            size += write_end(target.data + size, state[0])
        return size
    finally:
        close_target(&target)


cdef inline size_t run(
        Kernel kernel, const uint8_t *src, size_t n, uint8_t *dst, size_t room,
        uint8_t *state) noexcept:
    cdef size_t size
    if n < GIL_THRESHOLD:
        return kernel(src, n, dst, room, state)
    with nogil:
        size = kernel(src, n, dst, room, state)
    return size


cdef inline size_t write_end(uint8_t *dst, uint8_t state) noexcept:
    """End the body; a last line that is not ended is, first."""
    if state & kernels.SMTPS_AT_LINE_START:
        memcpy(dst, b".\r\n", 3)
        return 3
    memcpy(dst, b"\r\n.\r\n", 5)
    return 5
