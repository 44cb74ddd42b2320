"""Texts as MIME carries them: as plainly as the way to the server takes them. RFC 2045, 6."""

from cpython.bytes cimport PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t
from libc.string cimport memset

from smtps._fast cimport kernels
from smtps._fast.records cimport new_record, set_item

from smtps._fast.base64 import encode_base64
from smtps._fast.dots import normalize_newlines
from smtps._fast.quoted_printable import encode_quoted_printable
from smtps._pure.texts import EncodedText

__all__ = ["EncodedText", "encode_text"]


cdef extern from "Python.h":
    const int PyBUF_READ
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    object PyMemoryView_FromMemory(char *, Py_ssize_t, int)


cdef enum:
    # The limit of smtps._pure.texts.
    LONGEST_LINE = 998


def encode_text(text, eight_bit=False):
    """Like the function of the same name in `smtps._pure.texts`."""
    cdef Py_ssize_t size
    cdef const char *utf8
    if isinstance(text, str):
        # The text keeps its UTF-8: one that goes to many readers is encoded once.
        utf8 = PyUnicode_AsUTF8AndSize(text, &size)
        return encode(<const uint8_t *> utf8, <size_t> size, None, bool(eight_bit))
    cdef bytes given = bytes(text)
    return encode(given, <size_t> PyBytes_GET_SIZE(given), given, bool(eight_bit))


cdef object encode(const uint8_t *src, size_t size, object whole, bint eight_bit):
    """Encode UTF-8; `whole` is the object that holds it, if that is bytes."""
    cdef kernels.smtps_survey_t look
    cdef str encoding
    memset(&look, 0, sizeof(look))
    kernels.survey(src, size, &look)
    cdef bint fits = look.longest_line <= LONGEST_LINE and not look.nul
    data = whole
    if fits and (eight_bit or not look.eight_bit):
        encoding = "8bit" if look.eight_bit else "7bit"
        if look.bare_cr or look.bare_lf:
            data = normalize_newlines(view_of(src, size, whole))
        elif whole is None:
            data = PyBytes_FromStringAndSize(<const char *> src, <Py_ssize_t> size)
    elif look.nul or 6 * look.eight_bit > size:
        encoding = "base64"
        data = encode_base64(normalize_newlines(view_of(src, size, whole)))
    else:
        encoding = "quoted-printable"
        data = encode_quoted_printable(view_of(src, size, whole))
    result = new_record(EncodedText, 3)
    set_item(result, 0, encoding)
    set_item(result, 1, "utf-8" if look.eight_bit else "us-ascii")
    set_item(result, 2, data)
    return result


cdef inline object view_of(const uint8_t *src, size_t size, object whole):
    """Give the bytes to a function that takes a buffer, without a copy."""
    if whole is not None:
        return whole
    return PyMemoryView_FromMemory(<char *> src, <Py_ssize_t> size, PyBUF_READ)
