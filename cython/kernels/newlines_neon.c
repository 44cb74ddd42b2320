/* Newlines and dots with NEON: 64 clean bytes at a time are copied, and in a block where something
 * is added, what lies between the places is. */
#include "neon.h"

#if SMTPS_HAS_NEON

enum {
    BLOCK = 64,
    PART = 16,
    /* The most that a block becomes, with the end of a part that is written for nothing. */
    SPREAD = 2 * BLOCK + 1 + PART
};

/* In whole parts: up to 15 bytes beyond `n` are read and written. */
SMTPS_INLINE void copy_run(uint8_t *dst, const uint8_t *src, size_t n) {
    for (size_t k = 0; k < n; k += PART) vst1q_u8(dst + k, vld1q_u8(src + k));
}

SMTPS_INLINE size_t rewrite(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state, int with_dots) {
    if (n == 0) return 0;
    const uint8_t *const end = src + n;
    uint8_t *const start = dst, *const limit = dst + room;
    /* A CR that ends a block is written, and its LF follows with the next byte or at the end. */
    uint64_t at_start = *state & SMTPS_AT_LINE_START, after_cr = 0;
    if (*state & SMTPS_AFTER_CR && *src == '\n') src++;
    while (end - src >= BLOCK + PART && limit - dst >= SPREAD) {
        const block_t block = load_block(src);
        const uint64_t cr = find_byte(block, '\r'), lf = find_byte(block, '\n');
        const uint64_t behind_cr = cr << 1 | after_cr, behind_lf = lf << 1 | at_start;
        uint64_t added = lf ^ behind_cr;
        if (with_dots) added |= find_byte(block, '.') & (behind_lf | behind_cr);
        after_cr = cr >> (BLOCK - 1);
        at_start = lf >> (BLOCK - 1);
        size_t done = 0;
        for (; added; added &= added - 1) {
            const size_t place = smtps_first_bit(added);
            copy_run(dst, src + done, place - done);
            dst += place - done;
            done = place;
            if (src[place] != '\n' && behind_cr >> place & 1) *dst++ = '\n';
            if (src[place] == '\n') *dst++ = '\r';
            if (with_dots && src[place] == '.') *dst++ = '.';
        }
        copy_run(dst, src + done, BLOCK - done);
        dst += BLOCK - done;
        src += BLOCK;
    }
    if (after_cr) *dst++ = '\n';
    *state = (uint8_t)(after_cr   ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
                       : at_start ? SMTPS_AT_LINE_START
                                  : 0);
    const size_t left = (size_t)(end - src), room_left = (size_t)(limit - dst);
    dst += with_dots ? smtps_stuff_scalar(src, left, dst, room_left, state)
                     : smtps_normalize_scalar(src, left, dst, room_left, state);
    return (size_t)(dst - start);
}

size_t smtps_normalize_neon(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 0);
}

size_t smtps_stuff_neon(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 1);
}

#endif
