/* The forms of each kernel, and the table that the public functions call through.
 *
 * x.c holds the plain form, and what the forms share; x_avx2.c, x_avx512.c and x_neon.c hold the
 * others. */
#ifndef SMTPS_FORMS_H
#define SMTPS_FORMS_H

#include "compiler.h"
#include "kernels.h"

typedef struct {
    size_t (*base64)(const uint8_t *, size_t, uint8_t *);
    size_t (*normalize)(const uint8_t *, size_t, uint8_t *, size_t, uint8_t *);
    size_t (*stuff)(const uint8_t *, size_t, uint8_t *, size_t, uint8_t *);
    void (*survey)(const uint8_t *, size_t, smtps_survey_t *);
    size_t (*quoted_printable)(const uint8_t *, size_t, uint8_t *);
    size_t (*latin1)(const uint8_t *, size_t, uint8_t *);
    size_t (*scan_reply_lines)(const uint8_t *, size_t, smtps_line_t *, size_t, size_t *);
} smtps_forms_t;

/* Pointers and not IFUNC: musl, macOS and Windows have none. */
extern smtps_forms_t smtps_forms;

#define SMTPS_DECLARE_FORMS(level)                                                                 \
    size_t smtps_base64_##level(const uint8_t *, size_t, uint8_t *);                               \
    size_t smtps_normalize_##level(const uint8_t *, size_t, uint8_t *, size_t, uint8_t *);         \
    size_t smtps_stuff_##level(const uint8_t *, size_t, uint8_t *, size_t, uint8_t *);             \
    void smtps_survey_##level(const uint8_t *, size_t, smtps_survey_t *);                          \
    size_t smtps_quoted_printable_##level(const uint8_t *, size_t, uint8_t *);                     \
    size_t smtps_latin1_##level(const uint8_t *, size_t, uint8_t *);                               \
    size_t smtps_scan_reply_lines_##level(                                                         \
        const uint8_t *, size_t, smtps_line_t *, size_t, size_t *);

SMTPS_DECLARE_FORMS(scalar)
SMTPS_DECLARE_FORMS(neon)
SMTPS_DECLARE_FORMS(avx2)
SMTPS_DECLARE_FORMS(avx512)

#endif
