/* The survey with AVX-512: the marks of 64 bytes from a compare each. */
#include "survey.h"

#if SMTPS_HAS_AVX512

enum { STEP = 4 * SURVEY_BLOCK };

SMTPS_AVX512_CODE SMTPS_INLINE survey_marks_t find_marks(__m512i block) {
    survey_marks_t marks;
    marks.cr = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\r'));
    marks.lf = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    marks.dot = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('.'));
    SMTPS_KEEP_APART(marks.cr);
    SMTPS_KEEP_APART(marks.lf);
    SMTPS_KEEP_APART(marks.dot);
    return marks;
}

SMTPS_AVX512_CODE void smtps_survey_avx512(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    account_t account;
    open_account(&account, survey);
    for (; n >= STEP; n -= STEP, src += STEP) {
        __m512i blocks[4];
        for (int k = 0; k < 4; k++) {
            blocks[k] = _mm512_loadu_si512(src + SURVEY_BLOCK * k);
            take_block(&account, find_marks(blocks[k]));
        }
        /* Most text has neither bytes above 127 nor NUL: four blocks are asked at once. */
        const __m512i any = _mm512_or_si512(_mm512_or_si512(blocks[0], blocks[1]),
                                            _mm512_or_si512(blocks[2], blocks[3]));
        const __m512i least = _mm512_min_epu8(_mm512_min_epu8(blocks[0], blocks[1]),
                                              _mm512_min_epu8(blocks[2], blocks[3]));
        if (_mm512_movepi8_mask(any))
            for (int k = 0; k < 4; k++) survey->eight_bit += smtps_count_bits(_mm512_movepi8_mask(blocks[k]));
        if (_mm512_testn_epi8_mask(least, least))
            for (int k = 0; k < 4; k++)
                survey->nul += smtps_count_bits(_mm512_testn_epi8_mask(blocks[k], blocks[k]));
    }
    for (; n >= SURVEY_BLOCK; n -= SURVEY_BLOCK, src += SURVEY_BLOCK) {
        const __m512i block = _mm512_loadu_si512(src);
        take_block(&account, find_marks(block));
        survey->eight_bit += smtps_count_bits(_mm512_movepi8_mask(block));
        survey->nul += smtps_count_bits(_mm512_testn_epi8_mask(block, block));
    }
    close_account(&account, survey);
    smtps_survey_scalar(src, n, survey);
}

#endif
