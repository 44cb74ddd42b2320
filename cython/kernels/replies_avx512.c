/* Reply lines with AVX-512: their ends are found in 64 bytes at a time. */
#include "replies.h"

#if SMTPS_HAS_AVX512

SMTPS_AVX512_CODE SMTPS_INLINE uint64_t find_lfs(const uint8_t *src) {
    return _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(src), _mm512_set1_epi8('\n'));
}

SMTPS_AVX512_CODE size_t smtps_scan_reply_lines_avx512(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    return scan_lines(src, n, lines, max_lines, consumed, find_lfs);
}

#endif
