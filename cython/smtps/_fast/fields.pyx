"""Header fields that most messages have, from their text to their lines. RFC 5322, section 2.2."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcpy

from smtps._fast.addresses cimport is_plain_pair
from smtps._fast.words cimport GROWTH, GROWTH_BY, put_phrase, put_unstructured

from smtps._pure import fields as pure

__all__ = ["address_field", "fold", "text_field"]


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    object PyUnicode_DecodeASCII(const char *, Py_ssize_t, const char *)


cdef enum:
    # The limits of smtps._pure.fields.
    HARD_LIMIT = 998
    ENCODED_LIMIT = 76
    LONGEST_NAME = 76
    USUAL_LIMIT = 80
    # Lines up to this size are made on the stack.
    SMALL = 2048


def fold(line, limit, *, structured=False):
    """Like the function of the same name in `smtps._pure.fields`."""
    cdef Py_ssize_t size
    cdef const char *text
    if not (PyUnicode_CheckExact(line) and PyUnicode_IS_COMPACT_ASCII(line)):
        return pure.fold(line, limit, structured=structured)
    text = PyUnicode_AsUTF8AndSize(line, &size)
    if memchr(text, c":", size) == NULL or memchr(text, c"\n", size) != NULL:
        return pure.fold(line, limit, structured=structured)
    cdef size_t most = limit_of(<const uint8_t *> text, size, limit)
    if <size_t> size <= most:
        return line
    cdef uint8_t *dst = <uint8_t *> PyMem_Malloc(folded_size(size))
    if dst == NULL:
        raise MemoryError
    try:
        size = put_folded(<const uint8_t *> text, size, most, bool(structured), dst)
        return PyUnicode_DecodeASCII(<const char *> dst, size, NULL)
    finally:
        PyMem_Free(dst)


def text_field(name, text, limit=80):
    """Like the function of the same name in `smtps._pure.fields`."""
    cdef Py_ssize_t name_size, size
    cdef const char *label = name_of(name, &name_size)
    if label == NULL or not is_text(text):
        return None
    cdef const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size)
    cdef size_t room = name_size + 2 + GROWTH * size + GROWTH_BY
    cdef uint8_t[SMALL] small
    cdef uint8_t *line = small
    if room > SMALL:
        line = <uint8_t *> PyMem_Malloc(room)
        if line == NULL:
            raise MemoryError
    memcpy(line, label, name_size)
    memcpy(line + name_size, b": ", 2)
    cdef size_t used = name_size + 2
    used += put_unstructured(<const uint8_t *> utf8, size, used, line + used)
    if size == 0:
        # A blank is no end of a line.
        used -= 1
    try:
        return lines_of(line, used, limit, False)
    finally:
        if line != small:
            PyMem_Free(line)


def address_field(name, addresses, limit=80):
    """Like the function of the same name in `smtps._pure.fields`."""
    cdef Py_ssize_t size
    cdef const char *label = name_of(name, &size)
    if label == NULL:
        return None
    addresses = tuple(addresses)
    cdef list names = []
    cdef list locals_ = []
    cdef list domains = []
    cdef size_t room = size + 2
    cdef Py_ssize_t part
    for address in <tuple> addresses:
        local, domain, shown = address.local, address.domain, address.name
        if not is_plain_pair(local, domain) or not (shown == "" or is_text(shown)):
            return None
        PyUnicode_AsUTF8AndSize(shown, &part)
        room += GROWTH * part + GROWTH_BY
        names.append(shown)
        locals_.append(local)
        domains.append(domain)
    return people_lines(label, size, names, locals_, domains, room, limit) if names else None


cdef object mailbox_field(object name, object local, object domain, object shown):
    """Like `address_field` for one address that is known to be a plain one."""
    cdef Py_ssize_t size, part
    cdef const char *label = name_of(name, &size)
    if label == NULL or not (shown == "" or is_text(shown)):
        return None
    PyUnicode_AsUTF8AndSize(shown, &part)
    cdef size_t room = size + 2 + GROWTH * part + GROWTH_BY
    return people_lines(label, size, [shown], [local], [domain], room, USUAL_LIMIT)


cdef object people_lines(
        const char *label, Py_ssize_t size, list names, list locals_, list domains, size_t room,
        size_t limit):
    """Write the lines of checked mailboxes; None if a word of one is longer than a line can be."""
    cdef Py_ssize_t index
    cdef uint8_t[SMALL] small
    cdef uint8_t *line = small
    if room > SMALL:
        line = <uint8_t *> PyMem_Malloc(room)
        if line == NULL:
            raise MemoryError
    try:
        memcpy(line, label, size)
        memcpy(line + size, b": ", 2)
        size += 2
        for index in range(len(names)):
            if index:
                memcpy(line + size, b", ", 2)
                size += 2
            size += put_mailbox(
                names[index], locals_[index], domains[index], 0 if index else size, line + size)
        return lines_of(line, size, limit, True)
    finally:
        if line != small:
            PyMem_Free(line)


cdef Py_ssize_t put_mailbox(
        object name, object local, object domain, size_t column, uint8_t *dst) except -1:
    """Write `Name <local@domain>`, which takes no more than GROWTH and GROWTH_BY allow."""
    cdef Py_ssize_t size
    cdef const char *text = PyUnicode_AsUTF8AndSize(name, &size)
    cdef uint8_t *out = dst
    cdef bint is_named = size > 0
    if is_named:
        out += put_phrase(
            <const uint8_t *> text, size, PyUnicode_GET_LENGTH(name), column, out)
        memcpy(out, b" <", 2)
        out += 2
    text = PyUnicode_AsUTF8AndSize(local, &size)
    memcpy(out, text, size)
    out += size
    out[0] = c"@"
    out += 1
    text = PyUnicode_AsUTF8AndSize(domain, &size)
    memcpy(out, text, size)
    out += size
    if is_named:
        out[0] = c">"
        out += 1
    return out - dst


cdef object lines_of(const uint8_t *line, size_t size, size_t limit, bint structured):
    """Fold a line and end it; None if a word of it is longer than a line can be."""
    cdef size_t most = limit_of(line, size, limit)
    cdef uint8_t[SMALL] small
    cdef uint8_t *folded = small
    cdef size_t room
    if size <= most:
        memcpy(folded, line, size)
    else:
        room = folded_size(size)
        if room > SMALL:
            folded = <uint8_t *> PyMem_Malloc(room)
            if folded == NULL:
                raise MemoryError
        size = put_folded(line, size, most, structured, folded)
    memcpy(folded + size, b"\r\n", 2)
    try:
        if not keeps_to_limit(folded, size):
            return None
        return PyBytes_FromStringAndSize(<const char *> folded, size + 2)
    finally:
        if folded != small:
            PyMem_Free(folded)


cdef bint keeps_to_limit(const uint8_t *lines, size_t size) noexcept:
    cdef size_t at, start = 0
    for at in range(size + 1):
        if lines[at] == c"\r":
            if at - start > HARD_LIMIT:
                return False
            start = at + 2
    return True


cdef inline size_t folded_size(size_t size) noexcept:
    # Each fold has a blank of its own behind it.
    return 3 * size + 4


cdef size_t limit_of(const uint8_t *line, size_t size, size_t limit) noexcept:
    cdef size_t at
    if limit == 0:
        return HARD_LIMIT
    if limit > ENCODED_LIMIT:
        for at in range(1, size):
            if line[at] == c"?" and line[at - 1] == c"=":
                return ENCODED_LIMIT
    return min(limit, <size_t> HARD_LIMIT)


cdef size_t put_folded(
        const uint8_t *line, size_t size, size_t limit, bint structured, uint8_t *dst) noexcept:
    """Write a line in folds; see `smtps._pure.fields.fold`."""
    cdef const uint8_t *end = line + size
    cdef const uint8_t *at = <const uint8_t *> memchr(line, c":", size) + 1
    cdef const uint8_t *item_end
    cdef const uint8_t *word_end
    cdef uint8_t *out = dst
    cdef size_t current = at - line
    cdef bint bare = True
    memcpy(out, line, current)
    out += current
    while True:
        item_end = end_of_item(at, end, structured)
        if item_end == NULL:
            return out - dst
        # A mailbox that is torn begins on a line of its own.
        if not bare and current + <size_t> (item_end - at) > limit:
            out = put_line_end(out)
            current = 0
        while at < item_end:
            word_end = end_of_word(at, end, structured)
            size = word_end - at
            if current and current + size > (<size_t> HARD_LIMIT if bare else limit):
                out = put_line_end(out)
                current = 0
            memcpy(out, at, size)
            out += size
            current += size
            bare = False
            at = word_end


cdef inline uint8_t *put_line_end(uint8_t *out) noexcept:
    out[0] = c"\r"
    out[1] = c"\n"
    return out + 2


cdef const uint8_t *end_of_item(
        const uint8_t *at, const uint8_t *end, bint structured) noexcept:
    """Find the end of the words up to one that ends in a comma; NULL if there is none."""
    cdef const uint8_t *word_end = end_of_word(at, end, structured)
    while structured and word_end != NULL and (word_end - 1)[0] != c",":
        at = word_end
        word_end = end_of_word(at, end, structured)
        if word_end == NULL:
            return at
    return word_end


cdef const uint8_t *end_of_word(
        const uint8_t *at, const uint8_t *end, bint structured) noexcept:
    """Find the end of a word with the white space before it; NULL if there is none."""
    while at < end and is_blank(at[0]):
        at += 1
    if at == end:
        return NULL
    while at < end and not is_blank(at[0]):
        if structured and at[0] == c'"':
            at += 1
            while at < end and at[0] != c'"':
                at += 2 if at[0] == c"\\" and at + 1 < end else 1
        at += at < end
    return at


cdef const char *name_of(object name, Py_ssize_t *size) except? NULL:
    """Borrow the name of a field; NULL if it is none."""
    cdef const char *text
    cdef Py_ssize_t at
    if not (PyUnicode_CheckExact(name) and PyUnicode_IS_COMPACT_ASCII(name)):
        return NULL
    text = PyUnicode_AsUTF8AndSize(name, size)
    if size[0] == 0 or size[0] > LONGEST_NAME:
        return NULL
    for at in range(size[0]):
        if text[at] <= c" " or text[at] > c"~" or text[at] == c":":
            return NULL
    return text


cdef bint is_text(object text) except -1:
    """Tell whether this is text without control characters and halves of surrogate pairs."""
    cdef Py_ssize_t size, at
    cdef const uint8_t *utf8
    if not PyUnicode_CheckExact(text):
        return False
    try:
        utf8 = <const uint8_t *> PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        return False
    for at in range(size):
        if (utf8[at] < 0x20 and utf8[at] != c"\t") or utf8[at] == 0x7F:
            return False
    return True


cdef inline bint is_blank(uint8_t byte) noexcept:
    return byte == c" " or byte == c"\t"
