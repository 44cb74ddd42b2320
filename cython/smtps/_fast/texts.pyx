"""Texts as MIME carries them: as plainly as the way to the server takes them. RFC 2045, 6."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from smtps._fast cimport kernels
from smtps._fast.buffers cimport (
    Growing, close_growing, growing_end, keep_room, new_bytes, open_growing, raw_bytes,
    resize_bytes, take_bytes
)
from smtps._fast.quoted_printable cimport append_quoted_printable, quoted_printable_room
from smtps._fast.records cimport new_record, set_item

from smtps._fast.base64 import encode_base64
from smtps._fast.dots import normalize_newlines
from smtps._fast.quoted_printable import encode_quoted_printable
from smtps._pure import texts as pure
from smtps._pure.texts import EncodedText

__all__ = ["EncodedText", "encode_text", "text_message"]


cdef extern from "Python.h":
    const int PyBUF_READ
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    object PyMemoryView_FromMemory(char *, Py_ssize_t, int)
    bint PyUnicode_IS_ASCII(object)
    int PyUnicode_KIND(object)
    const int PyUnicode_1BYTE_KIND
    const uint8_t *PyUnicode_1BYTE_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)


cdef enum:
    # The limit of smtps._pure.texts.
    LONGEST_LINE = 998
    MOST_TEXTS = 2
    LONGEST_BOUNDARY = 100
    # More than the constant lines around a text.
    AROUND_TEXT = 200


def encode_text(text, eight_bit=False):
    """Like the function of the same name in `smtps._pure.texts`."""
    cdef Py_ssize_t size
    cdef const char *utf8
    if is_western(text):
        text = western_utf8(text)
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
    elif is_for_base64(&look, size):
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


cdef enum Form:
    # What becomes of a text on its way.
    AS_IT_IS
    NEWLINES
    QUOTED


cdef struct Text:
    const uint8_t *data
    size_t size
    # Of the text as it goes, unless it is quoted.
    size_t room
    Form form
    bint eight_bit


def text_message(list head, str boundary, list texts, eight_bit=False):
    """Like the function of the same name in `smtps._pure.texts`."""
    cdef Py_ssize_t count = len(texts), index
    if not 1 <= count <= MOST_TEXTS or len(boundary) > LONGEST_BOUNDARY:
        return pure.text_message(head, boundary, texts, eight_bit)
    cdef Text[MOST_TEXTS] found
    cdef list held = []
    cdef list labels = []
    cdef size_t room = LONGEST_BOUNDARY + AROUND_TEXT
    for index in range(count):
        subtype, text = texts[index]
        labels.append((subtype, look_at(text, bool(eight_bit), &found[index], held)))
        room += found[index].room + len(subtype) + 2 * LONGEST_BOUNDARY + AROUND_TEXT
    for line in head:
        room += <size_t> PyBytes_GET_SIZE(line)
    cdef bytes own = b"=_alt_" + boundary.encode("ascii") if count > 1 else b""
    cdef Growing growing
    open_growing(&growing, room)
    cdef uint8_t *out = growing_end(&growing)
    for line in head:
        out = put(out, PyBytes_AS_STRING(line), PyBytes_GET_SIZE(line))
    if count > 1:
        out = put(out, b"Content-Type: multipart/alternative; boundary=\"", 47)
        out = put(out, PyBytes_AS_STRING(own), PyBytes_GET_SIZE(own))
        out = put(out, b"\"\r\n", 3)
    for index in range(count):
        if count > 1:
            out = put_boundary(out, own)
            out = put(out, b"\r\n", 2)
        out = put_head(out, labels[index], found[index].eight_bit)
        growing.size += out - growing_end(&growing)
        append_text(&growing, &found[index])
        keep_room(&growing, room_behind(labels, index))
        out = growing_end(&growing)
    if count > 1:
        out = put_boundary(out, own)
        out = put(out, b"--\r\n", 4)
    growing.size += out - growing_end(&growing)
    return close_growing(&growing)


cdef size_t room_behind(list labels, Py_ssize_t index) except 0:
    """Tell how much is needed at most to go on behind a text, up to the next one."""
    cdef size_t room = 2 * LONGEST_BOUNDARY + AROUND_TEXT
    if index + 1 < len(labels):
        room += len(labels[index + 1][0])
    return room


cdef int append_text(Growing *growing, const Text *text) except -1:
    """Write a text as it goes."""
    cdef uint8_t state = kernels.SMTPS_AT_LINE_START
    if text.form == QUOTED:
        return append_quoted_printable(growing, text.data, text.size)
    keep_room(growing, text.room)
    cdef uint8_t *out = growing_end(growing)
    if text.form == NEWLINES:
        growing.size += kernels.normalize(text.data, text.size, out, text.room, &state)
    else:
        memcpy(out, text.data, text.size)
        growing.size += text.size
    return 0


cdef str look_at(object text, bint eight_bit, Text *found, list held):
    """Find how a text goes, and say in which encoding; what has it is kept in `held`."""
    cdef Py_ssize_t size
    cdef kernels.smtps_survey_t look
    if is_western(text):
        text = western_utf8(text)
    if isinstance(text, str):
        found.data = <const uint8_t *> PyUnicode_AsUTF8AndSize(text, &size)
    else:
        text = bytes(text)
        found.data = <const uint8_t *> PyBytes_AS_STRING(text)
        size = PyBytes_GET_SIZE(text)
    held.append(text)
    found.size = found.room = size
    found.form = AS_IT_IS
    memset(&look, 0, sizeof(look))
    kernels.survey(found.data, found.size, &look)
    found.eight_bit = look.eight_bit > 0
    cdef bint fits = look.longest_line <= LONGEST_LINE and not look.nul
    if fits and (eight_bit or not look.eight_bit):
        if look.bare_cr or look.bare_lf:
            found.form = NEWLINES
            # More than it takes, so that none of it has to be written with care.
            found.room += look.bare_cr + look.bare_lf + found.size // 4 + 64
        return "8bit" if look.eight_bit else "7bit"
    if not is_for_base64(&look, found.size):
        found.form = QUOTED
        found.room = quoted_printable_room(found.size)
        return "quoted-printable"
    data = encode_base64(normalize_newlines(view_of(found.data, found.size, None)))
    held.append(data)
    found.data = <const uint8_t *> PyBytes_AS_STRING(data)
    found.size = found.room = <size_t> PyBytes_GET_SIZE(data)
    return "base64"


cdef uint8_t *put_head(uint8_t *out, tuple labels, bint eight_bit) except NULL:
    cdef Py_ssize_t size
    cdef const char *text = PyUnicode_AsUTF8AndSize(labels[0], &size)
    out = put(out, b"Content-Type: text/", 19)
    out = put(out, text, size)
    if eight_bit:
        out = put(out, b"; charset=utf-8\r\n", 17)
    else:
        out = put(out, b"; charset=us-ascii\r\n", 20)
    out = put(out, b"Content-Transfer-Encoding: ", 27)
    text = PyUnicode_AsUTF8AndSize(labels[1], &size)
    out = put(out, text, size)
    return put(out, b"\r\n\r\n", 4)


cdef inline uint8_t *put_boundary(uint8_t *out, bytes own) noexcept:
    out = put(out, b"\r\n--", 4)
    return put(out, PyBytes_AS_STRING(own), PyBytes_GET_SIZE(own))


cdef inline uint8_t *put(uint8_t *out, const char *text, size_t size) noexcept:
    memcpy(out, text, size)
    return out + size


cdef inline bint is_western(object text) noexcept:
    """Tell whether a text is mostly ASCII, with letters of Western Europe in between."""
    return (
        isinstance(text, str) and PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND
        and not PyUnicode_IS_ASCII(text)
    )


cdef bytes western_utf8(object text):
    """Encode such a text, several times as fast as CPython does it letter by letter."""
    cdef size_t size = <size_t> PyUnicode_GET_LENGTH(text)
    cdef PyObject *result = new_bytes(2 * size + 64)
    resize_bytes(&result, kernels.latin1(
        PyUnicode_1BYTE_DATA(text), size, <uint8_t *> raw_bytes(result)))
    return take_bytes(result)


cdef inline bint is_for_base64(const kernels.smtps_survey_t *look, size_t size) noexcept:
    # Each byte above 127 takes three in quoted-printable, and every byte a third more in base64.
    return look.nul > 0 or 6 * look.eight_bit > size


cdef inline object view_of(const uint8_t *src, size_t size, object whole):
    """Give the bytes to a function that takes a buffer, without a copy."""
    if whole is not None:
        return whole
    return PyMemoryView_FromMemory(<char *> src, <Py_ssize_t> size, PyBUF_READ)
