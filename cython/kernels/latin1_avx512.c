/* UTF-8 of ISO 8859-1 with AVX-512 VBMI2: two places for each byte, and what is not in use pressed
 * out of them. */
#include "forms.h"

#if SMTPS_HAS_AVX512

enum { BLOCK = 64, HALF = 32 };

SMTPS_AVX512_CODE SMTPS_INLINE uint8_t *put_half(__m256i half, uint64_t high, uint8_t *dst) {
    const uint64_t firsts = 0x5555555555555555u;
    const __m512i wide = _mm512_cvtepu8_epi16(half);
    /* 110000xx 10xxxxxx, the first byte in the lower half of a word. */
    const __m512i marks = _mm512_set1_epi16((short)0x80C0);
    const __m512i first = _mm512_srli_epi16(wide, 6);
    const __m512i second =
        _mm512_slli_epi16(_mm512_and_si512(wide, _mm512_set1_epi16(0x3F)), 8);
    const __m512i two = _mm512_or_si512(_mm512_or_si512(first, second), marks);
    const __m512i mixed = _mm512_mask_mov_epi16(wide, (__mmask32)high, two);
    const uint64_t in_use = firsts | _pdep_u64(high, ~firsts);
    _mm512_storeu_si512(dst, _mm512_maskz_compress_epi8(in_use, mixed));
    return dst + HALF + smtps_count_bits(high);
}

SMTPS_AVX512_CODE size_t smtps_latin1_avx512(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    for (; n >= BLOCK; src += BLOCK, n -= BLOCK) {
        const __m512i block = _mm512_loadu_si512(src);
        const uint64_t high = _mm512_movepi8_mask(block);
        if (!high) {
            _mm512_storeu_si512(dst, block);
            dst += BLOCK;
            continue;
        }
        dst = put_half(_mm512_castsi512_si256(block), high & 0xFFFFFFFFu, dst);
        dst = put_half(_mm512_extracti64x4_epi64(block, 1), high >> HALF, dst);
    }
    return (size_t)(dst - start) + smtps_latin1_scalar(src, n, dst);
}

#endif
