"""Encoded words: text in a header that ASCII cannot hold. RFC 2047."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from smtps._pure import words as pure

__all__ = ["encode_phrase", "encode_unstructured"]


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    object PyUnicode_DecodeASCII(const char *, Py_ssize_t, const char *)


cdef enum:
    # The limits of smtps._pure.words.
    WORD_LIMIT = 75
    LINE_LIMIT = 76
    LEAST_ROOM = 24
    LONGEST_PLAIN_WORD = 900
    # Of "=?utf-8?q?", and with the "?=" behind it.
    OPENING = 10
    AROUND = 12
    # What a byte can be: plain in Q, of an atom, and of the text of a header.
    PLAIN_IN_Q = 1
    ATEXT = 2
    TEXT = 4

cdef uint8_t[256] kinds
cdef const uint8_t *DIGITS = b"0123456789ABCDEF"
cdef const uint8_t *BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


cdef void fill_kinds() noexcept:
    cdef int byte
    for byte in range(0x20, 0x7F):
        kinds[byte] = TEXT
    kinds[9] = TEXT
    for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/":
        kinds[byte] |= PLAIN_IN_Q | ATEXT
    for byte in b"#$%&'=?^_`{|}~":
        kinds[byte] |= ATEXT


fill_kinds()


def encode_unstructured(text, *, charset="utf-8", column=0):
    """Like the function of the same name in `smtps._pure.words`."""
    if charset != "utf-8":
        return pure.encode_unstructured(text, charset=charset, column=column)
    cdef Py_ssize_t size
    cdef const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size)
    cdef uint8_t *dst = <uint8_t *> allocate(size)
    try:
        size = put_unstructured(<const uint8_t *> utf8, size, column, dst)
        return PyUnicode_DecodeASCII(<const char *> dst, size, NULL)
    finally:
        PyMem_Free(dst)


def encode_phrase(text, *, charset="utf-8", column=0):
    """Like the function of the same name in `smtps._pure.words`."""
    if charset != "utf-8":
        return pure.encode_phrase(text, charset=charset, column=column)
    cdef Py_ssize_t size
    cdef const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size)
    cdef uint8_t *dst = <uint8_t *> allocate(size)
    try:
        size = put_phrase(
            <const uint8_t *> utf8, size, PyUnicode_GET_LENGTH(text), column, dst)
        return PyUnicode_DecodeASCII(<const char *> dst, size, NULL)
    finally:
        PyMem_Free(dst)


cdef void *allocate(Py_ssize_t size) except NULL:
    cdef void *memory = PyMem_Malloc(GROWTH * size + GROWTH_BY)
    if memory == NULL:
        raise MemoryError
    return memory


cdef size_t put_unstructured(
        const uint8_t *src, size_t size, size_t column, uint8_t *dst) noexcept:
    """Write a text, encoded from the first word that needs it to the last."""
    cdef size_t begin = size, end = 0, at = 0, start, place, first_end = 0, last = 0
    cdef bint needy
    while at < size:
        start = at
        while at < size and is_blank(src[at]):
            at += 1
        if at == size:
            break
        place = at
        needy = False
        while at < size and not is_blank(src[at]):
            needy |= not kinds[src[at]] & TEXT
            needy |= src[at] == c"?" and at > place and src[at - 1] == c"="
            at += 1
        if first_end == 0:
            first_end = at
        # After the one blank that parts it from the word before.
        last = start + is_blank(src[start])
        if needy or at - start > LONGEST_PLAIN_WORD:
            begin = min(begin, last)
            end = at
    if size and is_blank(src[0]):
        # Blanks at the edges would be lost: the first word takes them with it, or the last.
        begin = 0
        end = max(end, first_end if first_end else size)
    if size and is_blank(src[size - 1]):
        begin = min(begin, last)
        end = size
    if begin >= end:
        memcpy(dst, src, size)
        return size
    memcpy(dst, src, begin)
    cdef uint8_t *out = dst + begin
    out = put_words(src + begin, end - begin, 0 if begin else column, out)
    memcpy(out, src + end, size - end)
    return out + (size - end) - dst


cdef size_t put_phrase(
        const uint8_t *src, size_t size, size_t characters, size_t column, uint8_t *dst) noexcept:
    """Write a display name: as atoms, in quotes, or as encoded words."""
    cdef bint needy = characters > LONGEST_PLAIN_WORD
    cdef bint is_atoms = size > 0
    cdef uint8_t before = c" "
    cdef uint8_t byte
    cdef size_t at
    cdef uint8_t *out = dst
    for at in range(size):
        byte = src[at]
        needy |= not kinds[byte] & TEXT or (byte == c"?" and before == c"=")
        is_atoms &= kinds[byte] & ATEXT != 0 or (byte == c" " and before != c" ")
        before = byte
    if needy:
        return put_words(src, size, column, dst) - dst
    if is_atoms and before != c" ":
        memcpy(dst, src, size)
        return size
    out[0] = c'"'
    out += 1
    for at in range(size):
        if src[at] == c'"' or src[at] == c"\\":
            out[0] = c"\\"
            out += 1
        out[0] = src[at]
        out += 1
    out[0] = c'"'
    return out + 1 - dst


cdef uint8_t *put_words(
        const uint8_t *src, size_t size, size_t column, uint8_t *out) noexcept:
    """Write text as encoded words with a blank between each and the next."""
    cdef size_t unsafe = 0, at = 0, end, room, index
    cdef Py_ssize_t shared = LINE_LIMIT - <Py_ssize_t> column - AROUND
    for index in range(size):
        unsafe += not (kinds[src[index]] & PLAIN_IN_Q or src[index] == c" ")
    cdef bint is_q = size + 2 * unsafe <= (size + 2) // 3 * 4
    while at < size:
        room = WORD_LIMIT - AROUND
        if at:
            out[0] = c" "
            out += 1
        elif LEAST_ROOM <= shared and shared < <Py_ssize_t> room:
            # The first word shares its line with the name of the header.
            room = shared
        memcpy(out, b"=?utf-8?q?" if is_q else b"=?utf-8?b?", OPENING)
        out += OPENING
        end = fitting(src, at, size, room, is_q)
        out = put_q(src + at, end - at, out) if is_q else put_base64(src + at, end - at, out)
        memcpy(out, b"?=", 2)
        out += 2
        at = end
    return out


cdef size_t fitting(
        const uint8_t *src, size_t at, size_t size, size_t room, bint is_q) noexcept:
    """Find the end of the whole characters that fit."""
    cdef size_t end = at, next, used = 0
    # In base64 four characters are three bytes.
    cdef size_t most = room if is_q else room // 4 * 3
    while end < size:
        next = end
        while True:
            used += cost_in_q(src[next]) if is_q else 1
            next += 1
            if next == size or src[next] & 0xC0 != 0x80:
                break
        if used > most:
            break
        end = next
    return end


cdef inline size_t cost_in_q(uint8_t byte) noexcept:
    return 1 if kinds[byte] & PLAIN_IN_Q or byte == c" " else 3


cdef inline uint8_t *put_q(const uint8_t *src, size_t size, uint8_t *out) noexcept:
    cdef size_t at
    for at in range(size):
        if kinds[src[at]] & PLAIN_IN_Q:
            out[0] = src[at]
            out += 1
        elif src[at] == c" ":
            out[0] = c"_"
            out += 1
        else:
            out[0] = c"="
            out[1] = DIGITS[src[at] >> 4]
            out[2] = DIGITS[src[at] & 15]
            out += 3
    return out


cdef inline uint8_t *put_base64(const uint8_t *src, size_t size, uint8_t *out) noexcept:
    cdef size_t at = 0
    cdef unsigned int group
    while at < size:
        group = <unsigned int> src[at] << 16
        if at + 1 < size:
            group |= <unsigned int> src[at + 1] << 8
        if at + 2 < size:
            group |= src[at + 2]
        out[0] = BASE64[group >> 18]
        out[1] = BASE64[(group >> 12) & 63]
        out[2] = BASE64[(group >> 6) & 63] if at + 1 < size else c"="
        out[3] = BASE64[group & 63] if at + 2 < size else c"="
        out += 4
        at += 3
    return out


cdef inline bint is_blank(uint8_t byte) noexcept:
    return byte == c" " or byte == c"\t"
