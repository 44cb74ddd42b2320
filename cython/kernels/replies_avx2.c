/* Reply lines with AVX2: their ends are found in 64 bytes at a time. */
#include "replies.h"

#if SMTPS_HAS_AVX2

SMTPS_AVX2_CODE SMTPS_INLINE uint32_t find_half(const uint8_t *src) {
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
        _mm256_loadu_si256((const __m256i *)src), _mm256_set1_epi8('\n')));
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t find_lfs(const uint8_t *src) {
    return find_half(src) | (uint64_t)find_half(src + 32) << 32;
}

SMTPS_AVX2_CODE size_t smtps_scan_reply_lines_avx2(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    return scan_lines(src, n, lines, max_lines, consumed, find_lfs);
}

#endif
