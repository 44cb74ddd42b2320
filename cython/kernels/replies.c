/* Reply lines, found and taken apart without an object for each. RFC 5321, section 4.2. */
#include "forms.h"

#include <string.h>

static int is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* The entry for the line src[start..end), without its LF. */
static smtps_line_t parse_line(const uint8_t *src, size_t start, size_t end) {
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
