/* What the forms of the reply scanner share: one line taken apart, and the walk over the LFs. */
#ifndef SMTPS_REPLIES_H
#define SMTPS_REPLIES_H

#include "forms.h"

SMTPS_INLINE int is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* The entry for the line src[start..end), without its LF. */
SMTPS_INLINE smtps_line_t parse_line(const uint8_t *src, size_t start, size_t end) {
    smtps_line_t line = {(uint32_t)start, 0, 0, 1, SMTPS_LINE_MALFORMED};
    if (end > start && src[end - 1] == '\r') end--;
    const uint8_t *const text = src + start;
    const size_t length = end - start;
    line.length = (uint32_t)length;
    if (length < 3 || text[0] < '2' || text[0] > '5' || !is_digit(text[1]) || !is_digit(text[2]))
        return line;
    if (length > 3 && text[3] != ' ' && text[3] != '-') return line;
    const size_t prefix = length > 3 ? 4 : 3;
    line.start += (uint32_t)prefix;
    line.length -= (uint32_t)prefix;
    line.code = (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    line.last = !(length > 3 && text[3] == '-');
    line.kind = SMTPS_LINE_GOOD;
    return line;
}

/* Gives the marks of the LFs in 64 bytes. */
typedef uint64_t find_lfs_t(const uint8_t *src);

SMTPS_INLINE size_t scan_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed,
    find_lfs_t *find_lfs) {
    size_t found = 0, start = 0;
    for (size_t at = 0; n - at >= 64; at += 64) {
        for (uint64_t lfs = find_lfs(src + at); lfs; lfs &= lfs - 1) {
            if (found == max_lines) goto full;
            const size_t end = at + smtps_first_bit(lfs);
            lines[found++] = parse_line(src, start, end);
            start = end + 1;
        }
    }
full:;
    /* The last line may have begun in the blocks before. */
    size_t rest;
    const size_t more = smtps_scan_reply_lines_scalar(
        src + start, n - start, lines + found, max_lines - found, &rest);
    for (size_t k = found; k < found + more; k++) lines[k].start += (uint32_t)start;
    *consumed = start + rest;
    return found + more;
}

#endif
