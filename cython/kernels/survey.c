/* The survey of a body: what decides how it must be encoded and announced. */
#include "forms.h"

void smtps_survey_scalar(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    smtps_survey_t s = *survey;
    for (size_t i = 0; i < n; i++) {
        const uint8_t byte = src[i];
        if (byte == '\n' && s.after_cr) {
            s.crlf++;
            s.after_cr = 0;
            continue;
        }
        s.bare_cr += s.after_cr;
        s.after_cr = byte == '\r';
        if (byte == '\n' || byte == '\r') {
            s.bare_lf += byte == '\n';
            if (s.current_line > s.longest_line) s.longest_line = s.current_line;
            s.current_line = 0;
        } else {
            s.dots += byte == '.' && s.current_line == 0;
            s.nul += byte == 0;
            s.eight_bit += byte >> 7;
            s.current_line++;
        }
    }
    if (s.current_line > s.longest_line) s.longest_line = s.current_line;
    *survey = s;
}

void smtps_survey(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    smtps_forms.survey(src, n, survey);
}

void smtps_survey_end(smtps_survey_t *survey) {
    survey->bare_cr += survey->after_cr;
    survey->after_cr = 0;
}
