"""Addresses that go on the wire as they are, told apart from those that need a closer look."""

from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH, PyUnicode_Substring
from libc.stdint cimport uint8_t

__all__ = ["plain_addresses", "plain_mailbox"]


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)
    Py_UCS4 PyUnicode_READ_CHAR(object, Py_ssize_t)
    object PyUnicode_DecodeASCII(const char *, Py_ssize_t, const char *)


cdef enum:
    # Up to this length no part of an address can be over a limit; see smtps._pure.addresses.
    LONGEST = 64
    # What a character can be: of an atom, and of a label.
    ATEXT = 1
    LABEL = 2

cdef uint8_t[128] kinds


cdef void fill_kinds() noexcept:
    cdef uint8_t character
    for character in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        kinds[character] = ATEXT | LABEL
    for character in b"!#$%&'*+/=?^_`{|}~-":
        kinds[character] = ATEXT


fill_kinds()


def plain_addresses(sender, recipients, /):
    """Like the function of the same name in `smtps._pure.addresses`."""
    if type(recipients) is list:
        if not <list> recipients:
            return None
        # Before anything is looked at, so that nobody changes what was.
        recipients = tuple(recipients)
    elif type(recipients) is not tuple or not <tuple> recipients:
        return None
    if sender != "" and not is_plain(sender):
        return None
    for recipient in <tuple> recipients:
        if not is_plain(recipient):
            return None
    return recipients


def plain_mailbox(text, /):
    """Like the function of the same name in `smtps._pure.addresses`."""
    cdef Py_ssize_t size, at, begin = 0, end = 0
    cdef bint has_name = False
    if not PyUnicode_CheckExact(text):
        return None
    size = PyUnicode_GET_LENGTH(text)
    if size and PyUnicode_READ_CHAR(text, size - 1) == c">":
        at = name_end(text, size, &begin, &end)
        if at < 0:
            return None
        has_name = end > begin
        at += 1
        size -= 1
    else:
        at = 0
    if size - at > LONGEST:
        return None
    cdef uint8_t[LONGEST] spec
    cdef Py_ssize_t index
    cdef Py_UCS4 character
    for index in range(size - at):
        character = PyUnicode_READ_CHAR(text, at + index)
        if character > 127:
            return None
        spec[index] = <uint8_t> character
    cdef const uint8_t *stop = spec + (size - at)
    cdef const uint8_t *sign = skip_words(spec, stop, ATEXT, c".")
    if sign == NULL or sign == stop or sign[0] != c"@":
        return None
    if skip_words(sign + 1, stop, LABEL, c"-") != stop:
        return None
    return (
        PyUnicode_DecodeASCII(<const char *> spec, sign - spec, NULL),
        PyUnicode_DecodeASCII(<const char *> sign + 1, stop - sign - 1, NULL),
        PyUnicode_Substring(text, begin, end) if has_name else "",
    )


cdef Py_ssize_t name_end(
        object text, Py_ssize_t size, Py_ssize_t *begin, Py_ssize_t *end) noexcept:
    """Find the < behind a name, and where the name stands; -1 if it needs a closer look."""
    cdef Py_ssize_t at = 0
    cdef Py_UCS4 character = PyUnicode_READ_CHAR(text, 0)
    if character == c'"':
        begin[0] = at = 1
        while at < size:
            character = PyUnicode_READ_CHAR(text, at)
            if character == c'"':
                break
            if character == c"\\" or not is_of_text(character):
                return -1
            at += 1
        end[0] = at
        at += 1
    else:
        if character == c" ":
            return -1
        while at < size:
            character = PyUnicode_READ_CHAR(text, at)
            if character == c" ":
                # One blank joins two atoms; more can stand before the < only.
                if end[0] != at:
                    break
            elif character < 128 and not kinds[character] & ATEXT:
                break
            elif is_of_text(character):
                end[0] = at + 1
            else:
                return -1
            at += 1
    while at < size and PyUnicode_READ_CHAR(text, at) == c" ":
        at += 1
    return at if at < size and PyUnicode_READ_CHAR(text, at) == c"<" else -1


cdef inline bint is_of_text(Py_UCS4 character) noexcept:
    """Tell whether this is no control character of ASCII, and no half of a surrogate pair."""
    return character >= 0x20 and character != 0x7F and not 0xD800 <= character <= 0xDFFF


cdef bint is_plain(object text) noexcept:
    """Tell whether this is atoms joined by dots, an @, and labels joined by dots or hyphens."""
    cdef const uint8_t *at
    cdef const uint8_t *end
    if not is_ascii(text) or PyUnicode_GET_LENGTH(text) > LONGEST:
        return False
    at = <const uint8_t *> PyUnicode_1BYTE_DATA(text)
    end = at + PyUnicode_GET_LENGTH(text)
    at = skip_words(at, end, ATEXT, c".")
    if at == NULL or at == end or at[0] != c"@":
        return False
    return skip_words(at + 1, end, LABEL, c"-") == end


cdef bint is_plain_pair(object local, object domain) noexcept:
    """Tell whether these are the two parts of a plain address."""
    cdef const uint8_t *at
    if not is_ascii(local) or not is_ascii(domain):
        return False
    if PyUnicode_GET_LENGTH(local) + PyUnicode_GET_LENGTH(domain) >= LONGEST:
        return False
    at = <const uint8_t *> PyUnicode_1BYTE_DATA(local)
    if skip_words(at, at + PyUnicode_GET_LENGTH(local), ATEXT, c".") != (
        at + PyUnicode_GET_LENGTH(local)
    ):
        return False
    at = <const uint8_t *> PyUnicode_1BYTE_DATA(domain)
    return skip_words(at, at + PyUnicode_GET_LENGTH(domain), LABEL, c"-") == (
        at + PyUnicode_GET_LENGTH(domain)
    )


cdef inline bint is_ascii(object text) noexcept:
    return PyUnicode_CheckExact(text) and PyUnicode_IS_COMPACT_ASCII(text)


cdef inline const uint8_t *skip_words(
        const uint8_t *at, const uint8_t *end, uint8_t kind, uint8_t joint) noexcept:
    """Find the end of words that a dot or `joint` joins; NULL if there are none."""
    cdef const uint8_t *start
    while True:
        start = at
        while at < end and kinds[at[0]] & kind:
            at += 1
        if at == start:
            return NULL
        if at == end or (at[0] != c"." and at[0] != joint):
            return at
        at += 1
