/* Which forms run: what the CPU and the operating system both support. */
#include "forms.h"

#define SMTPS_FORMS(level)                                                                        \
    {                                                                                             \
        smtps_base64_##level, smtps_normalize_##level, smtps_stuff_##level,                       \
            smtps_normalize_size_##level, smtps_stuff_size_##level, smtps_survey_##level,         \
            smtps_quoted_printable_##level, smtps_scan_reply_lines_##level                        \
    }

smtps_forms_t smtps_forms = SMTPS_FORMS(scalar);
static int current_level = SMTPS_SCALAR;

int smtps_cpu_supports(int level) { return level == SMTPS_SCALAR; }

int smtps_cpu_best(void) {
    int level = SMTPS_AVX512;
    while (!smtps_cpu_supports(level)) level--;
    return level;
}

int smtps_cpu_use(int level) {
    if (!smtps_cpu_supports(level)) return -1;
    current_level = level;
    return 0;
}

int smtps_cpu_level(void) { return current_level; }
