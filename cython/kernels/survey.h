/* What the wide forms of the survey share: the account of 64 bytes, told by marks.
 *
 * The length of a line needs no loop over its ends: within a block only the first and the last line
 * reach further, and those between matter only while the longest line known is shorter still.
 *
 * Most text is plain: all newlines are CRLF or all are LF, and no line opens with a dot. There the
 * LFs tell everything, and that it is plain is asked for several blocks at once. What is not plain
 * is looked at again, block by block. */
#ifndef SMTPS_SURVEY_H
#define SMTPS_SURVEY_H

#include "forms.h"

enum { SURVEY_BLOCK = 64, EROSIONS = 6 };

typedef struct {
    size_t longest, current;
    size_t cr, lf, crlf, dots;
    uint64_t after_cr, at_start; /* 0 or 1 */
    /* Shifts that leave of a run of bits only what is longer than the longest line. */
    unsigned erosions[EROSIONS];
} account_t;

/* One bit for each byte. */
typedef struct {
    uint64_t cr, lf, dot;
} survey_marks_t;

SMTPS_INLINE void set_erosions(account_t *account) {
    size_t kept = 1;
    const size_t wanted = account->longest + 1;
    for (int k = 0; k < EROSIONS; k++) {
        const size_t shift = wanted - kept < kept ? wanted - kept : kept;
        account->erosions[k] = (unsigned)shift;
        kept += shift;
    }
}

SMTPS_INLINE void open_account(account_t *account, const smtps_survey_t *survey) {
    account->longest = survey->longest_line;
    account->current = survey->current_line;
    account->cr = survey->bare_cr + survey->crlf + survey->after_cr;
    account->lf = survey->bare_lf + survey->crlf;
    account->crlf = survey->crlf;
    account->dots = survey->dots;
    account->after_cr = survey->after_cr;
    account->at_start = survey->current_line == 0;
    if (account->longest < SURVEY_BLOCK - 2) set_erosions(account);
}

SMTPS_INLINE void close_account(const account_t *account, smtps_survey_t *survey) {
    survey->longest_line = account->longest;
    survey->current_line = account->current;
    survey->bare_cr = account->cr - account->crlf - account->after_cr;
    survey->bare_lf = account->lf - account->crlf;
    survey->crlf = account->crlf;
    survey->dots = account->dots;
    survey->after_cr = (uint8_t)account->after_cr;
}

/* A line between two newlines of one block is longer than any before, which is seldom. */
SMTPS_INLINE void grow_longest(account_t *account, uint64_t others) {
    while (others) {
        const unsigned start = smtps_first_bit(others);
        const uint64_t rest = ~(others >> start);
        const unsigned length = rest ? smtps_first_bit(rest) : SURVEY_BLOCK;
        if (length > account->longest) account->longest = length;
        if (start + length >= SURVEY_BLOCK) break;
        others &= ~smtps_low_bits(start + length);
    }
    if (account->longest < SURVEY_BLOCK - 2) set_erosions(account);
}

/* The lines of a block, by the marks of what ends them, and the zeros below and above all marks,
 * which are 64 if there is none. */
SMTPS_INLINE void take_lines(account_t *account, uint64_t ends, size_t below, size_t above) {
    const size_t head = account->current + below;
    /* Whether a block has a newline cannot be foretold: so this is a sum, not a choice. */
    account->current = above + (account->current & -(size_t)(ends == 0));
    if (SMTPS_UNLIKELY(head > account->longest)) {
        account->longest = head;
        if (head < SURVEY_BLOCK - 2) set_erosions(account);
    }
    if (account->longest < SURVEY_BLOCK - 2) {
        uint64_t runs = ~ends;
        for (int k = 0; k < EROSIONS; k++) runs &= runs >> account->erosions[k];
        if (SMTPS_UNLIKELY(runs != 0)) grow_longest(account, ~ends);
    }
}

/* Gives the marks of what ends a line. */
SMTPS_INLINE uint64_t take_block(account_t *account, survey_marks_t marks) {
    const uint64_t ends = marks.cr | marks.lf;
    account->cr += smtps_count_bits(marks.cr);
    account->lf += smtps_count_bits(marks.lf);
    account->crlf += smtps_count_bits(marks.lf & (marks.cr << 1 | account->after_cr));
    account->dots += smtps_count_bits(marks.dot & (ends << 1 | account->at_start));
    account->after_cr = marks.cr >> (SURVEY_BLOCK - 1);
    account->at_start = ends >> (SURVEY_BLOCK - 1);
    return ends;
}

/* While newlines are CRLF and only LFs are looked at, a line is a byte longer than it is. */
SMTPS_INLINE account_t open_plain(const account_t *account, int paired) {
    account_t plain = *account;
    plain.longest += (size_t)paired;
    plain.lf = 0;
    if (plain.longest < SURVEY_BLOCK - 2) set_erosions(&plain);
    return plain;
}

/* `last` is the last byte of the text that was plain. */
SMTPS_INLINE void close_plain(
    account_t *account, const account_t *plain, int paired, uint8_t last) {
    const uint64_t after_cr = last == '\r';
    const size_t current = plain->current - after_cr;
    account->longest = plain->longest - (size_t)paired;
    if (current > account->longest) account->longest = current;
    account->current = after_cr ? 0 : current;
    account->lf += plain->lf;
    if (paired) {
        account->crlf += plain->lf;
        account->cr += plain->lf + after_cr - account->after_cr;
    }
    account->after_cr = after_cr;
    account->at_start = account->current == 0;
    if (account->longest < SURVEY_BLOCK - 2) set_erosions(account);
}

#endif
