/* The survey with AVX2: the marks of 64 bytes from two compares each. */
#include "survey.h"

#if SMTPS_HAS_AVX2

enum { STEP = 2 * SURVEY_BLOCK };

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t top_bits(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)_mm256_movemask_epi8(high) << 32;
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t equal(__m256i low, __m256i high, char byte) {
    const __m256i wanted = _mm256_set1_epi8(byte);
    return top_bits(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

SMTPS_AVX2_CODE SMTPS_INLINE survey_marks_t find_marks(__m256i low, __m256i high) {
    const survey_marks_t marks = {
        equal(low, high, '\r'), equal(low, high, '\n'), equal(low, high, '.')};
    return marks;
}

SMTPS_AVX2_CODE void smtps_survey_avx2(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    account_t account;
    open_account(&account, survey);
    for (; n >= STEP; n -= STEP, src += STEP) {
        __m256i halves[4];
        for (int k = 0; k < 4; k++)
            halves[k] = _mm256_loadu_si256((const __m256i *)(src + 32 * k));
        take_block(&account, find_marks(halves[0], halves[1]));
        take_block(&account, find_marks(halves[2], halves[3]));
        /* Most text has neither bytes above 127 nor NUL: all are asked at once. */
        const __m256i any = _mm256_or_si256(_mm256_or_si256(halves[0], halves[1]),
                                            _mm256_or_si256(halves[2], halves[3]));
        const __m256i least = _mm256_min_epu8(_mm256_min_epu8(halves[0], halves[1]),
                                              _mm256_min_epu8(halves[2], halves[3]));
        if (_mm256_movemask_epi8(any))
            for (int k = 0; k < 4; k += 2)
                survey->eight_bit += smtps_count_bits(top_bits(halves[k], halves[k + 1]));
        if (equal(least, least, 0))
            for (int k = 0; k < 4; k += 2) survey->nul += smtps_count_bits(equal(halves[k], halves[k + 1], 0));
    }
    close_account(&account, survey);
    smtps_survey_scalar(src, n, survey);
}

#endif
