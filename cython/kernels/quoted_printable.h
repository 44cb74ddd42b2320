/* What the forms of quoted-printable share: the second of two passes.
 *
 * The first writes a slice of the text to a stage of some kilobytes, every byte as it will be sent,
 * lines ended by LF alone. The second takes the output lines from there. So neither has to think of
 * the other's matter, and what is moved is near. */
#ifndef SMTPS_QUOTED_PRINTABLE_H
#define SMTPS_QUOTED_PRINTABLE_H

#include "forms.h"

#include <string.h>

enum {
    LINE_LIMIT = 76,
    /* What is escaped at a time, and what that may become with the rest of the slice before. */
    SLICE = 1024,
    LOOKAHEAD = 96,
    STAGE = 3 * SLICE + LOOKAHEAD,
    /* Lines are read and written in one piece of this size, whatever their length. */
    PIECE = 80,
    SLACK = 128
};

/* What a byte becomes, and how long that is. */
extern const uint8_t smtps_escapes[256][4];

SMTPS_INLINE uint8_t *escape_byte(uint8_t byte, uint8_t *dst) {
    memcpy(dst, smtps_escapes[byte], 4);
    return dst + smtps_escapes[byte][3];
}

/* The end of an input line: white space before it is escaped. `line` is where the stage begins. */
SMTPS_INLINE uint8_t *escape_line_end(const uint8_t *line, uint8_t *dst) {
    if (dst == line || (dst[-1] != ' ' && dst[-1] != '\t')) return dst;
    const uint8_t low = dst[-1] == ' ' ? '2' : '0', high = dst[-1] == ' ' ? '0' : '9';
    dst[-1] = '=';
    dst[0] = low;
    dst[1] = high;
    return dst + 2;
}

SMTPS_INLINE int is_continuation(const uint8_t *escape) {
    return escape[0] == '=' && (escape[1] == '8' || escape[1] == '9' || escape[1] == 'A' ||
                                escape[1] == 'B');
}

SMTPS_INLINE int is_lead(const uint8_t *escape) {
    return escape[0] == '=' && escape[1] >= 'C' && escape[1] <= 'F';
}

/* Where a line of at most `most` characters can be cut: not within "=XX", nor within a UTF-8
 * sequence of a byte of C0..FF and up to three of 80..BF. */
SMTPS_INLINE size_t find_cut(const uint8_t *line, size_t most) {
    const uint8_t *cut = line + most;
    /* A difference, for what is there cannot be foretold. */
    cut -= (cut[-1] == '=') + 2 * (cut[-2] == '=');
    if (is_continuation(cut)) {
        const uint8_t *unit = cut;
        for (int k = 0; k < 3; k++) {
            unit -= 3;
            if (is_lead(unit)) cut = unit;
            if (!is_continuation(unit)) break;
        }
    }
    return (size_t)(cut - line);
}

/* "From " opens the line; the space is escaped where it ends one. */
SMTPS_INLINE int opens_mailbox(const uint8_t *line) {
    return memcmp(line, "From", 4) == 0 && (line[4] == ' ' || memcmp(line + 4, "=20", 3) == 0);
}

/* Rule 5: escapes what may not open a line, and so leaves less room on it. */
SMTPS_INLINE uint8_t *open_line(const uint8_t **line, size_t *limit, uint8_t *dst) {
    const uint8_t first = **line;
    if (SMTPS_UNLIKELY(first == '.' || (first == 'F' && opens_mailbox(*line)))) {
        memcpy(dst, first == '.' ? "=2E" : "=46", 3);
        dst += 3;
        ++*line;
        *limit -= 3;
    }
    return dst;
}

/* Gives the place of the first LF in the 77 bytes from `line`, or more than 76. */
typedef size_t find_end_t(const uint8_t *line);
typedef void copy_piece_t(uint8_t *dst, const uint8_t *line);

/* Writes the output lines of text[0..n), which SLACK bytes follow, and returns where they end. All
 * that is left to do if `is_last`; else what is not known yet to be a line is left. */
SMTPS_INLINE uint8_t *break_lines(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken, find_end_t *find_end,
    copy_piece_t *copy_piece) {
    const uint8_t *line = text, *const end = text + n;
    /* An LF after the last line, which is not written. */
    if (is_last) text[n] = '\n';
    const size_t ahead = is_last ? 1 : LOOKAHEAD;
    while ((size_t)(end - line) >= ahead) {
        size_t limit = LINE_LIMIT;
        dst = open_line(&line, &limit, dst);
        const size_t found = find_end(line);
        copy_piece(dst, line);
        if (found <= limit) {
            dst += found;
            line += found;
            if (line == end) break;
            memcpy(dst, "\r\n", 2);
            dst += 2;
            line++;
        } else {
            const size_t cut = find_cut(line, limit - 1);
            memcpy(dst + cut, "=\r\n", 3);
            dst += cut + 3;
            line += cut;
        }
    }
    *taken = (size_t)(line - text);
    return dst;
}

typedef uint8_t *break_lines_t(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken);

/* Escapes src[0..n) to `dst`, within the text that begins at `text` and ends at `end`. `stage` is
 * the first byte of the stage, and `dst` may lie behind it. Returns the end of what it wrote. */
typedef uint8_t *escape_slice_t(
    const uint8_t *src, size_t n, const uint8_t *text, const uint8_t *end, uint8_t *stage,
    uint8_t *dst);

SMTPS_INLINE size_t encode_text(
    const uint8_t *src, size_t n, uint8_t *dst, escape_slice_t *escape_slice,
    break_lines_t *break_slice) {
    uint8_t stage[STAGE + SLACK];
    uint8_t *const start = dst;
    const uint8_t *const text = src, *const end = src + n;
    size_t held = 0, taken;
    while (src < end) {
        const size_t slice = (size_t)(end - src) < SLICE ? (size_t)(end - src) : SLICE;
        const int is_last = src + slice == end;
        uint8_t *filled = escape_slice(src, slice, text, end, stage, stage + held);
        src += slice;
        if (is_last) filled = escape_line_end(stage, filled);
        held = (size_t)(filled - stage);
        dst = break_slice(stage, held, is_last, dst, &taken);
        held -= taken;
        if (!is_last) memcpy(stage, stage + taken, LOOKAHEAD);
    }
    return (size_t)(dst - start);
}

/* For the forms without a shorter way. */
SMTPS_INLINE size_t find_end_plainly(const uint8_t *line) {
    const uint8_t *const lf = memchr(line, '\n', LINE_LIMIT + 1);
    return lf ? (size_t)(lf - line) : LINE_LIMIT + 1;
}

SMTPS_INLINE void copy_piece_plainly(uint8_t *dst, const uint8_t *line) {
    memcpy(dst, line, PIECE);
}

#endif
