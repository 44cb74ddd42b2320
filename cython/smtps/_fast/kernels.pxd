from libc.stdint cimport uint8_t

cdef size_t base64_size(size_t n) noexcept nogil
cdef size_t base64_lines(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil
cdef size_t normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil
cdef size_t normalize_size(const uint8_t *src, size_t n, uint8_t state) noexcept nogil
cdef size_t stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil
cdef size_t stuff_size(const uint8_t *src, size_t n, uint8_t state) noexcept nogil
cdef size_t quoted_printable_bound(size_t n) noexcept nogil
cdef size_t quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil
cdef void survey_counts(const uint8_t *src, size_t n, size_t *counts) noexcept nogil
cdef size_t find_lf(const uint8_t *src, size_t n) noexcept nogil
