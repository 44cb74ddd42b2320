/* The survey with AVX-512: the marks of 64 bytes from a compare each. */
#include "survey.h"

#if SMTPS_HAS_AVX512

/* Plain text is looked at in steps of four blocks, and in one byte more. */
enum { BLOCKS = 4, STEP = BLOCKS * SURVEY_BLOCK };
/* So many blocks at most are looked at closely before it is tried again whether they are plain. */
enum { MOST_CLOSELY = 64 };

SMTPS_AVX512_CODE SMTPS_INLINE __m512i load(const uint8_t *src) { return _mm512_loadu_si512(src); }

SMTPS_AVX512_CODE SMTPS_INLINE __mmask64 find_byte(__m512i block, char byte) {
    return _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte));
}

SMTPS_AVX512_CODE SMTPS_INLINE void take_ends(account_t *account, uint64_t ends) {
    take_lines(account, ends, (size_t)_tzcnt_u64(ends), (size_t)_lzcnt_u64(ends));
}

SMTPS_AVX512_CODE SMTPS_INLINE void count_special(__m512i block, smtps_survey_t *survey) {
    survey->eight_bit += smtps_count_bits(_mm512_movepi8_mask(block));
    survey->nul += smtps_count_bits(_mm512_testn_epi8_mask(block, block));
}

/* Any block. */
SMTPS_AVX512_CODE SMTPS_INLINE void look_closely(
    const uint8_t *src, account_t *account, smtps_survey_t *survey) {
    const __m512i block = load(src);
    survey_marks_t marks = {
        find_byte(block, '\r'), find_byte(block, '\n'), find_byte(block, '.')};
    SMTPS_KEEP_APART(marks.cr);
    SMTPS_KEEP_APART(marks.lf);
    SMTPS_KEEP_APART(marks.dot);
    take_ends(account, take_block(account, marks));
    count_special(block, survey);
}

/* What was seen of several blocks. */
typedef struct {
    __m512i least; /* as signed numbers, so that it tells of NUL and of what is above 127 */
    __mmask64 odd;
} seen_t;

/* Gives the LFs of a block. */
SMTPS_AVX512_CODE SMTPS_INLINE __mmask64 look_at(const uint8_t *src, int paired, seen_t *seen) {
    const __m512i block = load(src);
    const __mmask64 lf = find_byte(block, '\n');
    const __mmask64 unpaired =
        paired ? _kxor_mask64(lf, find_byte(load(src - 1), '\r')) : find_byte(block, '\r');
    const __mmask64 dots =
        _mm512_mask_cmpeq_epi8_mask(lf, load(src + 1), _mm512_set1_epi8('.'));
    seen->odd = _kor_mask64(seen->odd, _kor_mask64(unpaired, dots));
    seen->least = _mm512_min_epi8(seen->least, block);
    return lf;
}

SMTPS_AVX512_CODE SMTPS_INLINE void count_lines(account_t *plain, uint64_t ends) {
    take_ends(plain, ends);
    plain->lf += smtps_count_bits(ends);
}

/* Plain text, as far as it goes; returns the bytes of it. */
SMTPS_AVX512_CODE SMTPS_INLINE size_t look_over(
    const uint8_t *src, size_t n, account_t *account, int paired, smtps_survey_t *survey) {
    const uint8_t *const start = src;
    account_t plain = open_plain(account, paired);
    for (; n > STEP; n -= STEP, src += STEP) {
        seen_t seen = {_mm512_set1_epi8(1), 0};
        const __mmask64 ends0 = look_at(src, paired, &seen);
        const __mmask64 ends1 = look_at(src + SURVEY_BLOCK, paired, &seen);
        const __mmask64 ends2 = look_at(src + 2 * SURVEY_BLOCK, paired, &seen);
        const __mmask64 ends3 = look_at(src + 3 * SURVEY_BLOCK, paired, &seen);
        if (seen.odd) break;
        count_lines(&plain, ends0);
        count_lines(&plain, ends1);
        count_lines(&plain, ends2);
        count_lines(&plain, ends3);
        if (_mm512_cmple_epi8_mask(seen.least, _mm512_setzero_si512()))
            for (size_t k = 0; k < STEP; k += SURVEY_BLOCK) count_special(load(src + k), survey);
    }
    if (src > start) close_plain(account, &plain, paired, src[-1]);
    return (size_t)(src - start);
}

SMTPS_AVX512_CODE void smtps_survey_avx512(const uint8_t *src, size_t n, smtps_survey_t *survey) {
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
