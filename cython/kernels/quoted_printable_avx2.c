/* Quoted-printable with AVX2: what needs no escape is found and copied 32 bytes at a time. */
#include "quoted_printable.h"

#if SMTPS_HAS_AVX2

enum { BLOCK = 32 };

SMTPS_AVX2_CODE SMTPS_INLINE __m256i load(const uint8_t *src) {
    return _mm256_loadu_si256((const __m256i *)src);
}

SMTPS_AVX2_CODE SMTPS_INLINE void store(uint8_t *dst, __m256i bytes) {
    _mm256_storeu_si256((__m256i *)dst, bytes);
}

/* The marks of what is not literal: what must be escaped, and newlines. */
SMTPS_AVX2_CODE SMTPS_INLINE uint32_t find_special(__m256i bytes) {
    /* As signed numbers, the bytes above 127 are below all others. */
    const __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), bytes);
    const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    const __m256i others = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('=')),
                                           _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(127)));
    return (uint32_t)_mm256_movemask_epi8(
        _mm256_or_si256(_mm256_andnot_si256(tab, low), others));
}

SMTPS_AVX2_CODE static uint8_t *escape_slice(
    const uint8_t *src, size_t n, const uint8_t *text, const uint8_t *end, uint8_t *stage,
    uint8_t *dst) {
    const uint8_t *const stop = src + n;
    while (src < stop) {
        /* The last bytes of the text are looked at aside. */
        uint8_t aside[2 * BLOCK];
        const size_t left = (size_t)(stop - src), taken = left < BLOCK ? left : BLOCK;
        const uint8_t *block = src;
        if ((size_t)(end - src) < 2 * BLOCK) {
            memset(aside, 0, sizeof aside);
            memcpy(aside, src, taken);
            block = aside;
        }
        uint32_t special = find_special(load(block)) & (uint32_t)smtps_low_bits(taken);
        size_t done = 0;
        for (; special; special = _blsr_u32(special)) {
            const size_t place = _tzcnt_u32(special);
            store(dst, load(block + done));
            dst += place - done;
            done = place + 1;
            const uint8_t byte = block[place];
            if (byte != '\n' && byte != '\r') {
                dst = escape_byte(byte, dst);
            } else if (byte == '\r' || src + place == text || src[place - 1] != '\r') {
                dst = escape_line_end(stage, dst);
                *dst++ = '\n';
            }
        }
        store(dst, load(block + done));
        dst += taken - done;
        src += taken;
    }
    return dst;
}

SMTPS_AVX2_CODE SMTPS_INLINE size_t find_line_end(const uint8_t *line) {
    const __m256i lf = _mm256_set1_epi8('\n');
    const uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(line), lf));
    const uint32_t high =
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(line + BLOCK), lf));
    const uint32_t rest = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(
        _mm_loadu_si128((const __m128i *)(line + 2 * BLOCK)), _mm256_castsi256_si128(lf)));
    const uint64_t first = low | (uint64_t)high << BLOCK;
    return first ? (size_t)_tzcnt_u64(first) : 2 * BLOCK + (size_t)_tzcnt_u32(rest);
}

SMTPS_AVX2_CODE SMTPS_INLINE void copy_line(uint8_t *dst, const uint8_t *line) {
    store(dst, load(line));
    store(dst + BLOCK, load(line + BLOCK));
    _mm_storeu_si128((__m128i *)(dst + 2 * BLOCK),
                     _mm_loadu_si128((const __m128i *)(line + 2 * BLOCK)));
}

SMTPS_AVX2_CODE static uint8_t *break_slice(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken) {
    return break_lines(text, n, is_last, dst, taken, find_line_end, copy_line);
}

SMTPS_AVX2_CODE size_t smtps_quoted_printable_avx2(const uint8_t *src, size_t n, uint8_t *dst) {
    return encode_text(src, n, dst, escape_slice, break_slice);
}

#endif
