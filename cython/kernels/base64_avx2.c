/* Base64 with AVX2: 24 bytes to 32 characters at a time, two lines in five turns. */
#include "forms.h"

#if SMTPS_HAS_AVX2

enum { LINE_BYTES = 57, LINE_SIZE = 78 };
/* Two lines, and what the last load reads beyond them. */
enum { STEP_BYTES = 2 * LINE_BYTES, STEP_SIZE = 2 * LINE_SIZE, STEP_REACH = STEP_BYTES + 16 };

/* Each 32 bits of `source` hold three bytes as 1, 0, 2, 1: so both halves are multiplied to move
 * the six bits of a character into a byte of their own. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i split_sixes(__m256i source) {
    const __m256i high = _mm256_mulhi_epu16(
        _mm256_and_si256(source, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    const __m256i low = _mm256_mullo_epi16(
        _mm256_and_si256(source, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    return _mm256_or_si256(high, low);
}

/* Adds to each six bits what their part of the alphabet is away from them: A..Z, a..z, ten digits
 * with an entry each, plus and slash. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i to_letters(__m256i sixes) {
    const __m256i distances = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        'A', 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 0, 0));
    const __m256i part = _mm256_sub_epi8(
        _mm256_subs_epu8(sixes, _mm256_set1_epi8(51)),
        _mm256_cmpgt_epi8(sixes, _mm256_set1_epi8(25)));
    return _mm256_add_epi8(sixes, _mm256_shuffle_epi8(distances, part));
}

/* 12 bytes from each address. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i encode_two(const uint8_t *low, const uint8_t *high) {
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    const __m256i both = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
    return to_letters(split_sixes(_mm256_shuffle_epi8(both, order)));
}

/* The last nine bytes of two lines, with the ends of the lines. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i encode_ends(const uint8_t *low, const uint8_t *high) {
    /* Places that take no source byte become 'A', and that is made CR and LF. */
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, -1, -1, -1, -1));
    const __m256i line_ends = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\r' - 'A', '\n' - 'A', 0, 0));
    const __m256i both = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
    const __m256i letters = to_letters(split_sixes(_mm256_shuffle_epi8(both, order)));
    return _mm256_add_epi8(letters, line_ends);
}

SMTPS_AVX2_CODE SMTPS_INLINE void store(uint8_t *dst, __m256i bytes) {
    _mm256_storeu_si256((__m256i *)dst, bytes);
}

SMTPS_AVX2_CODE size_t smtps_base64_avx2(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    for (; n >= STEP_REACH; n -= STEP_BYTES, src += STEP_BYTES, dst += STEP_SIZE) {
        for (int k = 8; k < 11; k++) smtps_prefetch(dst + 64 * k);
        const __m256i ends = encode_ends(src + 48, src + LINE_BYTES + 48);
        store(dst, encode_two(src, src + 12));
        store(dst + 32, encode_two(src + 24, src + 36));
        /* Two bytes too many, which the next line overwrites. */
        _mm_storeu_si128((__m128i *)(dst + 64), _mm256_castsi256_si128(ends));
        store(dst + LINE_SIZE, encode_two(src + LINE_BYTES, src + LINE_BYTES + 12));
        store(dst + LINE_SIZE + 32, encode_two(src + LINE_BYTES + 24, src + LINE_BYTES + 36));
        _mm_storeu_si128((__m128i *)(dst + LINE_SIZE + 64), _mm256_extracti128_si256(ends, 1));
    }
    return (size_t)(dst - start) + smtps_base64_scalar(src, n, dst);
}

#endif
