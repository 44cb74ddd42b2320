/* Base64 with NEON: 48 bytes of each line at a time, and its last nine as everywhere. */
#include "forms.h"

#if SMTPS_HAS_NEON

enum { LINE_BYTES = 57, LINE_SIZE = 78, WIDE_BYTES = 48, WIDE_CHARS = 64 };

static const uint8_t alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t smtps_base64_neon(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    const uint8x16x4_t letters = vld1q_u8_x4(alphabet);
    const uint8x16_t six = vdupq_n_u8(63);
    for (; n >= LINE_BYTES; n -= LINE_BYTES, src += LINE_BYTES) {
        const uint8x16x3_t in = vld3q_u8(src);
        uint8x16x4_t out;
        out.val[0] = vshrq_n_u8(in.val[0], 2);
        out.val[1] = vandq_u8(vsliq_n_u8(vshrq_n_u8(in.val[1], 4), in.val[0], 4), six);
        out.val[2] = vandq_u8(vsliq_n_u8(vshrq_n_u8(in.val[2], 6), in.val[1], 2), six);
        out.val[3] = vandq_u8(in.val[2], six);
        for (int k = 0; k < 4; k++) out.val[k] = vqtbl4q_u8(letters, out.val[k]);
        vst4q_u8(dst, out);
        dst += WIDE_CHARS;
        dst += smtps_base64_scalar(src + WIDE_BYTES, LINE_BYTES - WIDE_BYTES, dst);
    }
    return (size_t)(dst - start) + smtps_base64_scalar(src, n, dst);
}

#endif
