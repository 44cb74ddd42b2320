/* What the NEON forms share: marks of 64 bytes, one bit for each. */
#ifndef SMTPS_NEON_H
#define SMTPS_NEON_H

#include "forms.h"

#if SMTPS_HAS_NEON

typedef struct {
    uint8x16_t part[4];
} block_t;

SMTPS_INLINE block_t load_block(const uint8_t *src) {
    const block_t block = {
        {vld1q_u8(src), vld1q_u8(src + 16), vld1q_u8(src + 32), vld1q_u8(src + 48)}};
    return block;
}

/* NEON has no movemask: each byte keeps one bit, and neighbours are added three times. */
SMTPS_INLINE uint64_t gather_bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t weight = vld1q_u8(weights);
    const uint8x16_t ab = vpaddq_u8(vandq_u8(a, weight), vandq_u8(b, weight));
    const uint8x16_t cd = vpaddq_u8(vandq_u8(c, weight), vandq_u8(d, weight));
    const uint8x16_t all = vpaddq_u8(ab, cd);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

SMTPS_INLINE uint64_t find_byte(block_t block, uint8_t byte) {
    const uint8x16_t wanted = vdupq_n_u8(byte);
    return gather_bits(vceqq_u8(block.part[0], wanted), vceqq_u8(block.part[1], wanted),
                       vceqq_u8(block.part[2], wanted), vceqq_u8(block.part[3], wanted));
}

#endif
#endif
