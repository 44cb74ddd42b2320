# Quoted-printable, written behind what is there.
from libc.stdint cimport uint8_t

from smtps._fast.buffers cimport Growing


# Tell how much room is good to begin with for so many bytes.
cdef size_t quoted_printable_room(size_t n) except 0
cdef int append_quoted_printable(Growing *growing, const uint8_t *src, size_t n) except -1
