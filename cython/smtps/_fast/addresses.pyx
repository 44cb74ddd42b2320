"""Addresses that go on the wire as they are, told apart from those that need a closer look."""

from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH
from libc.stdint cimport uint8_t

__all__ = ["plain_addresses"]


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)


cdef enum:
    # Up to this length no part of an address can be over a limit; see smtps.address.
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


cdef bint is_plain(object text) noexcept:
    """Tell whether this is atoms joined by dots, an @, and labels joined by dots or hyphens."""
    cdef const uint8_t *at
    cdef const uint8_t *end
    if not PyUnicode_CheckExact(text) or not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    if PyUnicode_GET_LENGTH(text) > LONGEST:
        return False
    at = <const uint8_t *> PyUnicode_1BYTE_DATA(text)
    end = at + PyUnicode_GET_LENGTH(text)
    at = skip_words(at, end, ATEXT, c".")
    if at == NULL or at == end or at[0] != c"@":
        return False
    return skip_words(at + 1, end, LABEL, c"-") == end


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
