/* Reply lines, found and taken apart without an object for each. RFC 5321, section 4.2. */
#include "replies.h"

#include <string.h>

size_t smtps_scan_reply_lines_scalar(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    size_t found = 0, start = 0;
    while (found < max_lines && start < n) {
        const uint8_t *const lf = memchr(src + start, '\n', n - start);
        if (lf == NULL) break;
        const size_t end = (size_t)(lf - src);
        lines[found++] = parse_line(src, start, end);
        start = end + 1;
    }
    *consumed = start;
    return found;
}

size_t smtps_scan_reply_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    if (n > UINT32_MAX) n = UINT32_MAX;
    return smtps_forms.scan_reply_lines(src, n, lines, max_lines, consumed);
}

/* The C library's memchr is already a vector loop wherever it matters. */
size_t smtps_find_lf(const uint8_t *src, size_t n) {
    const uint8_t *const lf = n ? memchr(src, '\n', n) : NULL;
    return lf ? (size_t)(lf - src) : n;
}
