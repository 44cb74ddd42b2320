"""The body of a message in the canonical form that a signature is made over. RFC 6376, 3.4."""

from cpython.object cimport PyObject
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from smtps._fast.buffers cimport (
    GIL_THRESHOLD, View, close_view, new_bytes, open_view, raw_bytes, resize_bytes, take_bytes,
)

__all__ = ["BodyCanonicalizer"]


cdef enum:
    # Most of a body is canonical already: blocks of this size are looked at, and copied whole.
    BLOCK = 512


cdef struct State:
    bint relaxed
    # What is held back until it is known whether something follows.
    size_t line_ends
    bint blank
    bint cr
    bint is_empty


cdef class BodyCanonicalizer:
    """Like the class of the same name in `smtps._pure.canonical`."""

    cdef State _state

    def __init__(self, relaxed=True):
        self._begin(bool(relaxed))

    cdef void _begin(self, bint relaxed) noexcept:
        self._state = State(relaxed, 0, False, False, True)

    def update(self, chunk, /):
        """Like the method of the same name in `smtps._pure.canonical`."""
        cdef View view
        cdef PyObject *result
        cdef uint8_t *dst
        cdef size_t size
        open_view(chunk, &view)
        try:
            # Each byte becomes two at most, and so does what was held back.
            result = new_bytes(2 * (view.size + self._state.line_ends + 2))
            dst = <uint8_t *> raw_bytes(result)
            if view.size < GIL_THRESHOLD:
                size = canonicalize(&self._state, view.data, view.size, dst)
            else:
                with nogil:
                    size = canonicalize(&self._state, view.data, view.size, dst)
        finally:
            close_view(&view)
        resize_bytes(&result, size)
        return take_bytes(result)

    def finish(self):
        """Like the method of the same name in `smtps._pure.canonical`."""
        ending = b"" if self._state.relaxed and self._state.is_empty else b"\r\n"
        self._begin(self._state.relaxed)
        return ending


cdef size_t canonicalize(State *state, const uint8_t *src, size_t size, uint8_t *dst) noexcept nogil:
    cdef uint8_t *out = dst
    cdef size_t at = 0
    cdef size_t end, solid
    while at < size:
        end = min(at + BLOCK, size)
        if not state.cr and not state.blank:
            solid = end
            while solid > at and not is_solid(src[solid - 1], state.relaxed):
                solid -= 1
            if solid > at and is_canonical(src + at, solid - at, state.relaxed):
                out = release(state, out)
                memcpy(out, src + at, solid - at)
                out += solid - at
                at = solid
        while at < end:
            out = put(state, src[at], out)
            at += 1
    return out - dst


cdef inline bint is_solid(uint8_t byte, bint relaxed) noexcept nogil:
    """Tell whether a byte is one that is never left out."""
    return byte != c"\r" and byte != c"\n" and not (relaxed and (byte == c" " or byte == c"\t"))


cdef inline bint is_canonical(const uint8_t *src, size_t size, bint relaxed) noexcept nogil:
    """Tell whether bytes that end in a solid one stay as they are. A loop that vectorises."""
    cdef uint8_t bad = src[0] == c"\n"
    cdef uint8_t byte, following
    cdef size_t at
    for at in range(size - 1):
        byte, following = src[at], src[at + 1]
        bad |= (byte == c"\r") ^ (following == c"\n")
    if relaxed and not bad:
        bad = src[0] == c"\t"
        for at in range(size - 1):
            byte, following = src[at], src[at + 1]
            bad |= <uint8_t> (following == c"\t") | (
                <uint8_t> (byte == c" ") & <uint8_t> ((following == c" ") | (following == c"\r"))
            )
    return not bad


cdef inline uint8_t *put(State *state, uint8_t byte, uint8_t *out) noexcept nogil:
    """Take one byte in; what can no longer be left out is written."""
    if state.cr:
        state.cr = False
        state.line_ends += 1
        state.blank = False
        if byte == c"\n":
            return out
    if byte == c"\r":
        state.cr = True
    elif byte == c"\n":
        state.line_ends += 1
        state.blank = False
    elif state.relaxed and (byte == c" " or byte == c"\t"):
        state.blank = True
    else:
        out = release(state, out)
        out[0] = byte
        out += 1
    return out


cdef inline uint8_t *release(State *state, uint8_t *out) noexcept nogil:
    """Write what was held back, since something follows it."""
    while state.line_ends:
        out[0] = c"\r"
        out[1] = c"\n"
        out += 2
        state.line_ends -= 1
    if state.blank:
        out[0] = c" "
        out += 1
        state.blank = False
    state.is_empty = False
    return out
