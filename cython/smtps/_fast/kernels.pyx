"""The C kernels: the one module that links them, so that there is one choice of CPU level."""

from libc.stdint cimport uint8_t
from libc.string cimport memset

__all__ = ["cpu_level", "supported_levels", "use_cpu_level"]

cdef extern from "kernels.h" nogil:
    ctypedef struct smtps_survey_t:
        size_t longest_line
        size_t eight_bit
        size_t nul
        size_t bare_cr
        size_t bare_lf
        size_t crlf
        size_t dots

    int smtps_cpu_supports(int level)
    int smtps_cpu_use(int level)
    int smtps_cpu_level()
    size_t smtps_base64_size(size_t n)
    size_t smtps_base64(const uint8_t *src, size_t n, uint8_t *dst)
    size_t smtps_normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state)
    size_t smtps_stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state)
    size_t smtps_normalize_size(const uint8_t *src, size_t n, uint8_t state)
    size_t smtps_stuff_size(const uint8_t *src, size_t n, uint8_t state)
    void smtps_survey(const uint8_t *src, size_t n, smtps_survey_t *survey)
    void smtps_survey_end(smtps_survey_t *survey)
    size_t smtps_quoted_printable_bound(size_t n)
    size_t smtps_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst)
    size_t smtps_find_lf(const uint8_t *src, size_t n)

# The numbers of kernels.h.
_LEVELS = ("scalar", "neon", "avx2", "avx512vbmi")


def supported_levels() -> tuple[str, ...]:
    """Name the levels that this CPU and operating system can run."""
    return tuple(name for number, name in enumerate(_LEVELS) if smtps_cpu_supports(number))


def cpu_level() -> str:
    """Name the level in use."""
    return _LEVELS[smtps_cpu_level()]


def use_cpu_level(name: str) -> None:
    """Switch every kernel to a level; no other thread may be inside one.

    Raises:
        ValueError: there is none of that name, or it cannot run here.
    """
    if name not in _LEVELS or smtps_cpu_use(_LEVELS.index(name)) != 0:
        raise ValueError(f"{name}: expected one of {', '.join(supported_levels())}")


cdef size_t base64_size(size_t n) noexcept nogil:
    return smtps_base64_size(n)


cdef size_t base64_lines(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil:
    return smtps_base64(src, n, dst)


cdef size_t normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil:
    return smtps_normalize(src, n, dst, room, state)


cdef size_t normalize_size(const uint8_t *src, size_t n, uint8_t state) noexcept nogil:
    return smtps_normalize_size(src, n, state)


cdef size_t stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil:
    return smtps_stuff(src, n, dst, room, state)


cdef size_t stuff_size(const uint8_t *src, size_t n, uint8_t state) noexcept nogil:
    return smtps_stuff_size(src, n, state)


cdef size_t quoted_printable_bound(size_t n) noexcept nogil:
    return smtps_quoted_printable_bound(n)


cdef size_t quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil:
    return smtps_quoted_printable(src, n, dst)


cdef void survey_counts(const uint8_t *src, size_t n, size_t *counts) noexcept nogil:
    cdef smtps_survey_t found
    memset(&found, 0, sizeof(found))
    smtps_survey(src, n, &found)
    smtps_survey_end(&found)
    counts[0] = found.longest_line
    counts[1] = found.eight_bit
    counts[2] = found.nul
    counts[3] = found.bare_cr
    counts[4] = found.bare_lf
    counts[5] = found.crlf
    counts[6] = found.dots


cdef size_t find_lf(const uint8_t *src, size_t n) noexcept nogil:
    return smtps_find_lf(src, n)
