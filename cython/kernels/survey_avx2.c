/* The survey with AVX2: the marks of 64 bytes from two compares each. */
#include "survey.h"

#if SMTPS_HAS_AVX2

/* Plain text is looked at in steps of four blocks, and in one byte more. */
enum { HALF = SURVEY_BLOCK / 2, BLOCKS = 4, STEP = BLOCKS * SURVEY_BLOCK };
/* So many blocks at most are looked at closely before it is tried again whether they are plain. */
enum { MOST_CLOSELY = 64 };

SMTPS_AVX2_CODE SMTPS_INLINE __m256i load(const uint8_t *src) {
    return _mm256_loadu_si256((const __m256i *)src);
}

SMTPS_AVX2_CODE SMTPS_INLINE __m256i find_byte(__m256i bytes, char byte) {
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte));
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t top_bits(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << HALF;
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t find_in_both(__m256i low, __m256i high, char byte) {
    return top_bits(find_byte(low, byte), find_byte(high, byte));
}

SMTPS_AVX2_CODE SMTPS_INLINE void take_ends(account_t *account, uint64_t ends) {
    take_lines(account, ends, (size_t)_tzcnt_u64(ends), (size_t)_lzcnt_u64(ends));
}

SMTPS_AVX2_CODE SMTPS_INLINE void count_special(
    __m256i low, __m256i high, smtps_survey_t *survey) {
    survey->eight_bit += smtps_count_bits(top_bits(low, high));
    survey->nul += smtps_count_bits(find_in_both(low, high, 0));
}

/* Any block. */
SMTPS_AVX2_CODE SMTPS_INLINE void look_closely(
    const uint8_t *src, account_t *account, smtps_survey_t *survey) {
    const __m256i low = load(src), high = load(src + HALF);
    const survey_marks_t marks = {find_in_both(low, high, '\r'), find_in_both(low, high, '\n'),
                                  find_in_both(low, high, '.')};
    take_ends(account, take_block(account, marks));
    count_special(low, high, survey);
}

/* What was seen of several blocks. */
typedef struct {
    __m256i least; /* as signed numbers, so that it tells of NUL and of what is above 127 */
    __m256i odd;
} seen_t;

/* Gives the LFs of half a block. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i look_at(const uint8_t *src, int paired, seen_t *seen) {
    const __m256i bytes = load(src);
    const __m256i lf = find_byte(bytes, '\n');
    const __m256i unpaired =
        paired ? _mm256_xor_si256(lf, find_byte(load(src - 1), '\r')) : find_byte(bytes, '\r');
    const __m256i dots = _mm256_and_si256(lf, find_byte(load(src + 1), '.'));
    seen->odd = _mm256_or_si256(seen->odd, _mm256_or_si256(unpaired, dots));
    seen->least = _mm256_min_epi8(seen->least, bytes);
    return lf;
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t look_at_both(
    const uint8_t *src, int paired, seen_t *seen) {
    const __m256i low = look_at(src, paired, seen);
    return top_bits(low, look_at(src + HALF, paired, seen));
}

SMTPS_AVX2_CODE SMTPS_INLINE void count_lines(account_t *plain, uint64_t ends) {
    take_ends(plain, ends);
    plain->lf += smtps_count_bits(ends);
}

/* Plain text, as far as it goes; returns the bytes of it. */
SMTPS_AVX2_CODE SMTPS_INLINE size_t look_over(
    const uint8_t *src, size_t n, account_t *account, int paired, smtps_survey_t *survey) {
    const uint8_t *const start = src;
    account_t plain = open_plain(account, paired);
    for (; n > STEP; n -= STEP, src += STEP) {
        seen_t seen = {_mm256_set1_epi8(1), _mm256_setzero_si256()};
        const uint64_t ends0 = look_at_both(src, paired, &seen);
        const uint64_t ends1 = look_at_both(src + SURVEY_BLOCK, paired, &seen);
        const uint64_t ends2 = look_at_both(src + 2 * SURVEY_BLOCK, paired, &seen);
        const uint64_t ends3 = look_at_both(src + 3 * SURVEY_BLOCK, paired, &seen);
        if (!_mm256_testz_si256(seen.odd, seen.odd)) break;
        count_lines(&plain, ends0);
        count_lines(&plain, ends1);
        count_lines(&plain, ends2);
        count_lines(&plain, ends3);
        if (_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(1), seen.least)))
            for (size_t k = 0; k < STEP; k += SURVEY_BLOCK)
                count_special(load(src + k), load(src + k + HALF), survey);
    }
    if (src > start) close_plain(account, &plain, paired, src[-1]);
    return (size_t)(src - start);
}

SMTPS_AVX2_CODE void smtps_survey_avx2(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    const uint8_t *const start = src;
    account_t account;
    open_account(&account, survey);
    size_t closely = BLOCKS;
    while (n >= SURVEY_BLOCK) {
        /* What is before the first byte is not known from the source. */
        if (src > start && n > STEP && !(account.at_start && *src == '.')) {
            size_t done = look_over(src, n, &account, 1, survey);
            if (done == 0 && !account.after_cr) done = look_over(src, n, &account, 0, survey);
            src += done;
            n -= done;
            closely = done ? BLOCKS : closely < MOST_CLOSELY ? 2 * closely : closely;
        }
        for (size_t k = 0; k < closely && n >= SURVEY_BLOCK; k++) {
            look_closely(src, &account, survey);
            src += SURVEY_BLOCK;
            n -= SURVEY_BLOCK;
        }
    }
    close_account(&account, survey);
    smtps_survey_scalar(src, n, survey);
}

#endif
