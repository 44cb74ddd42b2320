# Take bytes from anything with the buffer protocol, and make new ones without filling them twice.
#
# Py_buffer and not a typed memoryview: half the time of a small call, a quarter of the code.
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.stdint cimport uint8_t


cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t) except NULL
    int _PyBytes_Resize(PyObject **, Py_ssize_t) except -1
    char *raw_bytes "PyBytes_AS_STRING"(PyObject *)
    const Py_ssize_t PY_SSIZE_T_MAX


cdef enum:
    # Giving the GIL away costs some 20 ns and a wait to get it back: not for less than this, which
    # takes some 10 us.
    GIL_THRESHOLD = 262144


cdef struct View:
    const uint8_t *data
    size_t size
    Py_buffer buffer
    bint is_exported


cdef inline int open_view(object data, View *view) except -1:
    """Borrow the bytes of `data` until `close_view`."""
    if PyBytes_CheckExact(data):
        # The caller's reference keeps it alive, and nothing can change it.
        view.data = <const uint8_t *> PyBytes_AS_STRING(data)
        view.size = <size_t> PyBytes_GET_SIZE(data)
        view.is_exported = False
        return 0
    try:
        PyObject_GetBuffer(data, &view.buffer, PyBUF_SIMPLE)
    except BufferError:
        # They do not lie one behind the other: those of a copy do.
        PyObject_GetBuffer(bytes(data), &view.buffer, PyBUF_SIMPLE)
    view.data = <const uint8_t *> view.buffer.buf
    view.size = <size_t> view.buffer.len
    view.is_exported = True
    return 0


cdef inline void close_view(View *view) noexcept:
    if view.is_exported:
        PyBuffer_Release(&view.buffer)


cdef struct Target:
    uint8_t *data
    size_t size
    Py_buffer buffer


cdef inline int open_target(object buffer, Target *target, size_t needed) except -1:
    """Borrow a buffer to write `needed` bytes into, until `close_target`."""
    PyObject_GetBuffer(buffer, &target.buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
    target.data = <uint8_t *> target.buffer.buf
    target.size = <size_t> target.buffer.len
    if target.size < needed:
        PyBuffer_Release(&target.buffer)
        raise ValueError(f"the buffer holds {target.size} bytes, and {needed} are needed")
    return 0


cdef inline void close_target(Target *target) noexcept:
    PyBuffer_Release(&target.buffer)


cdef inline object part_from(View *view, const Target *target):
    """Copy the source if it overlaps the target, which kernels do not expect.

    Returns:
        What must live as long as the view.
    """
    cdef bytes copy
    if (target.data >= view.data + view.size) or (view.data >= target.data + target.size):
        return None
    copy = view.data[:view.size]
    close_view(view)
    open_view(copy, view)
    return copy


cdef inline PyObject *new_bytes(size_t size) except NULL:
    """Make bytes that are not written yet."""
    if size > <size_t> PY_SSIZE_T_MAX:
        raise MemoryError
    return PyBytes_FromStringAndSize(NULL, <Py_ssize_t> size)


cdef inline int resize_bytes(PyObject **result, size_t size) except -1:
    """Change the size of bytes that nobody else has; they are gone where memory is."""
    if size > <size_t> PY_SSIZE_T_MAX:
        Py_DECREF(<object> result[0])
        raise MemoryError
    return _PyBytes_Resize(result, <Py_ssize_t> size)


cdef inline object take_bytes(PyObject *result):
    """Hand over the one reference to finished bytes."""
    cdef object owned = <object> result
    Py_DECREF(owned)
    return owned


cdef struct Growing:
    # Bytes that are being written: the first `size` of `room`.
    PyObject *result
    size_t size
    size_t room


cdef inline int open_growing(Growing *growing, size_t room) except -1:
    """Begin with so much room."""
    growing.result = new_bytes(room)
    growing.size = 0
    growing.room = room
    return 0


cdef inline uint8_t *growing_end(Growing *growing) noexcept:
    """Give the place behind what is written, until there has to be more room."""
    return <uint8_t *> raw_bytes(growing.result) + growing.size


cdef inline int keep_room(Growing *growing, size_t needed) except -1:
    """Make sure of room for so many more bytes; the rest of what is written is gone on an error."""
    if growing.room - growing.size < needed:
        growing.room += growing.room // 2 + needed
        resize_bytes(&growing.result, growing.room)
    return 0


cdef inline object close_growing(Growing *growing):
    """Give what was written."""
    resize_bytes(&growing.result, growing.size)
    return take_bytes(growing.result)
