# Encoded words and names, written into memory that the caller has made large enough.
from libc.stdint cimport uint8_t


cdef enum:
    # Encoding makes at most so many bytes of one, and so many more of any text.
    GROWTH = 4
    GROWTH_BY = 128

cdef size_t put_unstructured(
    const uint8_t *src, size_t size, size_t column, uint8_t *dst) noexcept
cdef size_t put_phrase(
    const uint8_t *src, size_t size, size_t characters, size_t column, uint8_t *dst) noexcept
