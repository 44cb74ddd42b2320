/* UTF-8 of ISO 8859-1, as CPython keeps text whose letters are of Western Europe. */
#include "forms.h"

#include <string.h>

/* Eight bytes at a time while all of them are ASCII, which most are; the others are two each. */
size_t smtps_latin1_scalar(const uint8_t *src, size_t n, uint8_t *dst) {
    const uint8_t *const end = src + n;
    uint8_t *const start = dst;
    while (src < end) {
        uint64_t word;
        if ((size_t)(end - src) >= sizeof word) {
            memcpy(&word, src, sizeof word);
            memcpy(dst, &word, sizeof word);
            if (!(word & 0x8080808080808080u)) {
                src += sizeof word;
                dst += sizeof word;
                continue;
            }
        }
        while (src < end && *src < 0x80) *dst++ = *src++;
        if (src < end) {
            *dst++ = (uint8_t)(0xC0 | *src >> 6);
            *dst++ = (uint8_t)(0x80 | (*src++ & 0x3F));
        }
    }
    return (size_t)(dst - start);
}

/* Between two letters that are not ASCII there are seldom more bytes than fill a wide register. */
#if SMTPS_HAS_AVX2
size_t smtps_latin1_avx2(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_latin1_scalar(src, n, dst);
}
#endif
#if SMTPS_HAS_NEON
size_t smtps_latin1_neon(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_latin1_scalar(src, n, dst);
}
#endif

size_t smtps_latin1(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_forms.latin1(src, n, dst);
}
