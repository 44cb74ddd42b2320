"""The C kernels: the one module that links them, so that there is one choice of CPU level."""

__all__ = ["cpu_level", "supported_levels", "use_cpu_level"]


cdef extern from "kernels.h" nogil:
    int smtps_cpu_supports(int level)
    int smtps_cpu_best()
    int smtps_cpu_use(int level)
    int smtps_cpu_level()
    size_t smtps_base64_size(size_t n)
    size_t smtps_base64(const uint8_t *src, size_t n, uint8_t *dst)
    size_t smtps_normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state)
    size_t smtps_stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state)
    void smtps_survey(const uint8_t *src, size_t n, smtps_survey_t *found)
    void smtps_survey_end(smtps_survey_t *found)
    size_t smtps_quoted_printable_bound(size_t n)
    size_t smtps_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst)
    size_t smtps_latin1(const uint8_t *src, size_t n, uint8_t *dst)
    size_t smtps_find_lf(const uint8_t *src, size_t n)
    size_t smtps_scan_reply_lines(
        const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed)


# In the order of their numbers in kernels.h.
_LEVELS = ("scalar", "neon", "avx2", "avx512vbmi")


def supported_levels():
    """Name the levels that can run here, the plainest first."""
    return tuple([name for number, name in enumerate(_LEVELS) if smtps_cpu_supports(number)])


def cpu_level():
    """Name the level in use: the best one, if no other was asked for."""
    return _LEVELS[smtps_cpu_level()]


def use_cpu_level(name, /):
    """Switch every kernel to a level; no other thread may be inside one.

    Raises:
        ValueError: there is none of that name, or it cannot run here.
    """
    if name not in _LEVELS or smtps_cpu_use(_LEVELS.index(name)) != 0:
        raise ValueError(f"{name}: expected one of {', '.join(supported_levels())}")


smtps_cpu_use(smtps_cpu_best())


cdef size_t base64_size(size_t n) noexcept nogil:
    return smtps_base64_size(n)


cdef size_t base64(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil:
    return smtps_base64(src, n, dst)


cdef size_t normalize(
        const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil:
    return smtps_normalize(src, n, dst, room, state)


cdef size_t stuff(
        const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) noexcept nogil:
    return smtps_stuff(src, n, dst, room, state)


cdef void survey(const uint8_t *src, size_t n, smtps_survey_t *found) noexcept nogil:
    smtps_survey(src, n, found)
    smtps_survey_end(found)


cdef size_t quoted_printable_bound(size_t n) noexcept nogil:
    return smtps_quoted_printable_bound(n)


cdef size_t quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil:
    return smtps_quoted_printable(src, n, dst)


cdef size_t latin1(const uint8_t *src, size_t n, uint8_t *dst) noexcept nogil:
    return smtps_latin1(src, n, dst)


cdef size_t find_lf(const uint8_t *src, size_t n) noexcept nogil:
    return smtps_find_lf(src, n)


cdef size_t scan_reply_lines(
        const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines,
        size_t *consumed) noexcept nogil:
    return smtps_scan_reply_lines(src, n, lines, max_lines, consumed)
