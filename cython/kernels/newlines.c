/* Newlines to CRLF, and the dot that opens a line doubled: every body passes here once. */
#include "forms.h"

SMTPS_INLINE size_t rewrite_bytes(
    const uint8_t *src, size_t n, uint8_t *dst, uint8_t *state, int with_dots) {
    uint8_t *const start = dst;
    unsigned flags = *state;
    for (size_t i = 0; i < n; i++) {
        const uint8_t byte = src[i];
        if (byte == '\n' && flags & SMTPS_AFTER_CR) {
            flags = SMTPS_AT_LINE_START;
        } else if (byte == '\n' || byte == '\r') {
            *dst++ = '\r';
            *dst++ = '\n';
            flags = SMTPS_AT_LINE_START | (byte == '\r' ? SMTPS_AFTER_CR : 0);
        } else {
            if (with_dots && byte == '.' && flags & SMTPS_AT_LINE_START) *dst++ = '.';
            *dst++ = byte;
            flags = 0;
        }
    }
    *state = (uint8_t)flags;
    return (size_t)(dst - start);
}

size_t smtps_normalize_scalar(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    (void)room;
    return rewrite_bytes(src, n, dst, state, 0);
}

size_t smtps_stuff_scalar(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    (void)room;
    return rewrite_bytes(src, n, dst, state, 1);
}

size_t smtps_normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return smtps_forms.normalize(src, n, dst, room, state);
}

size_t smtps_stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return smtps_forms.stuff(src, n, dst, room, state);
}
