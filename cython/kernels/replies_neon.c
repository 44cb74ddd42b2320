/* Reply lines with NEON: their ends are found in 64 bytes at a time. */
#include "neon.h"
#include "replies.h"

#if SMTPS_HAS_NEON

SMTPS_INLINE uint64_t find_lfs(const uint8_t *src) { return find_byte(load_block(src), '\n'); }

size_t smtps_scan_reply_lines_neon(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    return scan_lines(src, n, lines, max_lines, consumed, find_lfs);
}

#endif
