/* Quoted-printable with NEON: what needs no escape is found in 64 bytes at a time, and copied. */
#include "neon.h"
#include "quoted_printable.h"

#if SMTPS_HAS_NEON

enum { BLOCK = 64 };

/* The marks of what is not literal: what must be escaped, and newlines. */
SMTPS_INLINE uint64_t find_special(block_t block) {
    uint8x16_t special[4];
    for (int k = 0; k < 4; k++) {
        const uint8x16_t bytes = block.part[k];
        const uint8x16_t outside =
            vcgtq_u8(vsubq_u8(bytes, vdupq_n_u8(' ')), vdupq_n_u8('~' - ' '));
        const uint8x16_t tab = vceqq_u8(bytes, vdupq_n_u8('\t'));
        special[k] = vorrq_u8(vbicq_u8(outside, tab), vceqq_u8(bytes, vdupq_n_u8('=')));
    }
    return gather_bits(special[0], special[1], special[2], special[3]);
}

/* In whole parts: up to 15 bytes beyond `n` are read and written. */
SMTPS_INLINE void copy_run(uint8_t *dst, const uint8_t *src, size_t n) {
    for (size_t k = 0; k < n; k += 16) vst1q_u8(dst + k, vld1q_u8(src + k));
}

static uint8_t *escape_slice(
    const uint8_t *src, size_t n, const uint8_t *text, const uint8_t *end, uint8_t *stage,
    uint8_t *dst) {
    const uint8_t *const stop = src + n;
    while (src < stop) {
        /* The last bytes of the text are looked at aside. */
        uint8_t aside[BLOCK + 16] = {0};
        const size_t left = (size_t)(stop - src), taken = left < BLOCK ? left : BLOCK;
        const uint8_t *block = src;
        if ((size_t)(end - src) < sizeof aside) {
            memcpy(aside, src, taken);
            block = aside;
        }
        uint64_t special = find_special(load_block(block)) & smtps_low_bits(taken);
        size_t done = 0;
        for (; special; special &= special - 1) {
            const size_t place = smtps_first_bit(special);
            copy_run(dst, block + done, place - done);
            dst += place - done;
            done = place + 1;
            if (block[place] != '\n' && block[place] != '\r') {
                dst = escape_byte(block[place], dst);
            } else if (block[place] == '\r' || src + place == text || src[place - 1] != '\r') {
                dst = escape_line_end(stage, dst);
                *dst++ = '\n';
            }
        }
        copy_run(dst, block + done, taken - done);
        dst += taken - done;
        src += taken;
    }
    return dst;
}

SMTPS_INLINE size_t find_line_end(const uint8_t *line) {
    const uint64_t first = find_byte(load_block(line), '\n');
    if (first) return smtps_first_bit(first);
    size_t place = BLOCK;
    while (place <= LINE_LIMIT && line[place] != '\n') place++;
    return place;
}

static uint8_t *break_slice(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken) {
    return break_lines(text, n, is_last, dst, taken, find_line_end, copy_piece_plainly);
}

size_t smtps_quoted_printable_neon(const uint8_t *src, size_t n, uint8_t *dst) {
    return encode_text(src, n, dst, escape_slice, break_slice);
}

#endif
