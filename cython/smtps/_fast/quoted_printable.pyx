"""Quoted-printable of text; twin of `_pure.quoted_printable`."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t

from smtps._fast.kernels cimport quoted_printable, quoted_printable_bound

__all__ = ["encode_quoted_printable"]


def encode_quoted_printable(data) -> bytes:
    """Encode text with any newlines into lines of at most 76 characters that end in CRLF."""
    cdef Py_buffer view
    cdef uint8_t *room = NULL
    cdef size_t size
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        room = <uint8_t *>PyMem_Malloc(quoted_printable_bound(view.len))
        if room == NULL:
            raise MemoryError
        size = quoted_printable(<const uint8_t *>view.buf, view.len, room)
        return PyBytes_FromStringAndSize(<char *>room, size)
    finally:
        PyMem_Free(room)
        PyBuffer_Release(&view)
