/* The survey with NEON: the marks of 64 bytes, gathered from four compares each. */
#include "neon.h"
#include "survey.h"

#if SMTPS_HAS_NEON

void smtps_survey_neon(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    account_t account;
    open_account(&account, survey);
    for (; n >= SURVEY_BLOCK; n -= SURVEY_BLOCK, src += SURVEY_BLOCK) {
        const block_t block = load_block(src);
        const survey_marks_t marks = {
            find_byte(block, '\r'), find_byte(block, '\n'), find_byte(block, '.')};
        const uint64_t ends = take_block(&account, marks);
        take_lines(&account, ends, ends ? smtps_first_bit(ends) : SURVEY_BLOCK,
                   ends ? smtps_bits_above(ends) : SURVEY_BLOCK);
        const uint8x16_t most = vmaxq_u8(vmaxq_u8(block.part[0], block.part[1]),
                                         vmaxq_u8(block.part[2], block.part[3]));
        const uint8x16_t least = vminq_u8(vminq_u8(block.part[0], block.part[1]),
                                          vminq_u8(block.part[2], block.part[3]));
        if (vmaxvq_u8(most) > 127)
            for (int k = 0; k < 4; k++)
                survey->eight_bit += vaddvq_u8(vshrq_n_u8(block.part[k], 7));
        if (vminvq_u8(least) == 0) survey->nul += smtps_count_bits(find_byte(block, 0));
    }
    close_account(&account, survey);
    smtps_survey_scalar(src, n, survey);
}

#endif
