# The kernels for the other modules, which cimport them from here and do not link the C files: so
# there is one CPU level, and a test can force it. What each does is said in kernels.h.
from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef extern from "kernels.h" nogil:
    enum:
        SMTPS_AT_LINE_START
        SMTPS_LINE_GOOD

    ctypedef struct smtps_survey_t:
        size_t longest_line
        size_t eight_bit
        size_t nul
        size_t bare_cr
        size_t bare_lf
        size_t crlf
        size_t dots

    ctypedef struct smtps_line_t:
        uint32_t start
        uint32_t length
        uint16_t code
        uint8_t last
        uint8_t kind


cdef size_t base64_size(size_t n) noexcept nogil
cdef size_t base64(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil
cdef size_t normalize(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil
cdef size_t stuff(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil
cdef void survey(const uint8_t *src, size_t n, smtps_survey_t *found) noexcept nogil
cdef size_t quoted_printable_bound(size_t n) noexcept nogil
cdef size_t quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil
cdef size_t latin1(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil
cdef size_t find_lf(const uint8_t *src, size_t n) noexcept nogil
cdef size_t scan_reply_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines,
    size_t *consumed) noexcept nogil
