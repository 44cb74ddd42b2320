"""Headers and body in the canonical form that a signature is made over. RFC 6376, 3.4."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcpy

from smtps._fast.buffers cimport (
    GIL_THRESHOLD, View, close_view, new_bytes, open_view, raw_bytes, resize_bytes, take_bytes,
)

__all__ = ["BodyCanonicalizer", "canonical_fields"]


cdef enum:
    # Most of a body is canonical already: blocks of this size are looked at, and copied whole.
    BLOCK = 512


def canonical_fields(headers, relaxed=True, /):
    """Like the function of the same name in `smtps._pure.canonical`."""
    cdef View view
    cdef size_t at = 0
    cdef size_t end
    cdef bint is_relaxed = bool(relaxed)
    cdef list fields = []
    open_view(headers, &view)
    try:
        while at < view.size:
            end = field_end(view.data, at, view.size)
            if end > at:
                fields.append(field(view.data + at, end - at, is_relaxed))
            at = end + 2
    finally:
        close_view(&view)
    return fields


cdef size_t field_end(const uint8_t *src, size_t at, size_t size) noexcept:
    """Find the CRLF behind which no white space continues the field, or the end of all."""
    cdef const uint8_t *found
    while at < size:
        found = <const uint8_t *> memchr(src + at, c"\r", size - at)
        if found == NULL:
            return size
        at = found - src
        if at + 1 < size and src[at + 1] == c"\n":
            if at + 2 >= size or not is_blank(src[at + 2]):
                return at
            at += 2
        else:
            at += 1
    return size


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    return byte == c" " or byte == c"\t"


cdef tuple field(const uint8_t *src, size_t size, bint relaxed):
    cdef const uint8_t *colon = <const uint8_t *> memchr(src, c":", size)
    cdef size_t value = size if colon == NULL else <size_t> (colon - src) + 1
    cdef size_t length = size if colon == NULL else value - 1
    cdef size_t at, start = 0
    cdef size_t filled
    cdef bint blank = False
    cdef PyObject *result
    cdef uint8_t *out
    while length and is_blank(src[length - 1]):
        length -= 1
    result = new_bytes(length + 1 + size - value)
    out = <uint8_t *> raw_bytes(result)
    for at in range(length):
        out[at] = src[at] | 32 if c"A" <= src[at] <= c"Z" else src[at]
    while start < length and is_blank(src[start]):
        start += 1
    name = PyBytes_FromStringAndSize(<const char *> out + start, length - start)
    if not relaxed:
        resize_bytes(&result, 0)
        take_bytes(result)
        return name, PyBytes_FromStringAndSize(<const char *> src, size)
    out[length] = c":"
    filled = length + 1
    at = value
    while at < size:
        # A field goes on behind every CRLF in it that white space follows.
        if (
            src[at] == c"\r" and at + 2 < size and src[at + 1] == c"\n"
            and is_blank(src[at + 2])
        ):
            at += 2
        if is_blank(src[at]):
            blank = True
        else:
            if blank and filled > length + 1:
                out[filled] = c" "
                filled += 1
            blank = False
            out[filled] = src[at]
            filled += 1
        at += 1
    resize_bytes(&result, filled)
    return name, take_bytes(result)


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

    @cython.critical_section
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

    @cython.critical_section
    def finish(self):
        """Like the method of the same name in `smtps._pure.canonical`."""
        ending = b"" if self._state.relaxed and self._state.is_empty else b"\r\n"
        self._begin(self._state.relaxed)
        return ending


cdef size_t canonicalize(
    State *state, const uint8_t *src, size_t size, uint8_t *dst
) noexcept nogil:
    cdef uint8_t *out = dst
    cdef size_t at = 0
    cdef size_t end, solid
    while at < size:
        # What is held back is decided by the next byte or two; then a block can be looked at.
        while at < size and (state.cr or state.blank):
            out = put(state, src[at], out)
            at += 1
        end = min(at + BLOCK, size)
        if at < end:
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
