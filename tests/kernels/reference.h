/* What each kernel must give, said in the plainest way: whole buffers, no streaming, no speed. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "kernels.h"

size_t reference_base64(const uint8_t *src, size_t n, uint8_t *dst);
/* With `state` as the kernels start it: SMTPS_AT_LINE_START, optionally SMTPS_AFTER_CR. */
size_t reference_newlines(const uint8_t *src, size_t n, uint8_t *dst, uint8_t *state, int dots);
void reference_survey(const uint8_t *src, size_t n, smtps_survey_t *survey);
size_t reference_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst);
size_t reference_latin1(const uint8_t *src, size_t n, uint8_t *dst);
size_t reference_reply_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed);

#endif
