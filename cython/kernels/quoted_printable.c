/* Quoted-printable of text. RFC 2045, section 6.7.
 *
 * The definition, which every form and the pure twin follow byte for byte:
 *
 * 1. The input is lines, ended by CRLF, bare CR or bare LF. Each such end becomes CRLF; none is
 *    added after the last line.
 * 2. A byte of a line stands for itself if it is 33..126 but not '=', or a space or tab that is
 *    not the last byte of its line. Any other becomes "=XX", upper case.
 * 3. The bytes of a line fall into units: a byte of C0..FF with up to three bytes of 80..BF that
 *    follow it (a UTF-8 sequence), or else one byte.
 * 4. An output line takes units greedily: a unit is added if the output line then has at most 75
 *    characters, or at most 76 where that unit ends the input line. Otherwise "=" CRLF is written,
 *    and the unit opens the next output line.
 * 5. A '.' that opens an output line becomes "=2E", and an 'F' that opens one and is followed in
 *    its input line by "rom " becomes "=46": neither dot-stuffing nor a mailbox file alters them.
 */
#include "quoted_printable.h"

#define LITERAL(b) (((b) >= ' ' && (b) <= '~' && (b) != '=') || (b) == '\t')
#define DIGIT(n) (uint8_t)((n) < 10 ? '0' + (n) : 'A' + (n) - 10)
#define ENTRY(b)                                                                                   \
    {LITERAL(b) ? (uint8_t)(b) : '=', DIGIT((b) >> 4), DIGIT((b) & 15), LITERAL(b) ? 1 : 3},
#define FOUR(b) ENTRY(b) ENTRY(b + 1) ENTRY(b + 2) ENTRY(b + 3)
#define SIXTEEN(b) FOUR(b) FOUR(b + 4) FOUR(b + 8) FOUR(b + 12)
#define SIXTY_FOUR(b) SIXTEEN(b) SIXTEEN(b + 16) SIXTEEN(b + 32) SIXTEEN(b + 48)

const uint8_t smtps_escapes[256][4] = {
    SIXTY_FOUR(0) SIXTY_FOUR(64) SIXTY_FOUR(128) SIXTY_FOUR(192)};

static uint8_t *escape_slice(
    const uint8_t *src, size_t n, const uint8_t *text, const uint8_t *end, uint8_t *stage,
    uint8_t *dst) {
    (void)end;
    for (const uint8_t *const stop = src + n; src < stop; src++) {
        if (*src != '\n' && *src != '\r') {
            dst = escape_byte(*src, dst);
        } else if (*src == '\r' || src == text || src[-1] != '\r') {
            dst = escape_line_end(stage, dst);
            *dst++ = '\n';
        }
    }
    return dst;
}

static uint8_t *break_slice(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken) {
    return break_lines(text, n, is_last, dst, taken, find_end_plainly, copy_piece_plainly);
}

size_t smtps_quoted_printable_scalar(const uint8_t *src, size_t n, uint8_t *dst) {
    return encode_text(src, n, dst, escape_slice, break_slice);
}

size_t smtps_quoted_printable_bound(size_t n) {
    /* "=XX" for each byte, and one soft break for each output line, which holds at least 21. */
    return 3 * n + 3 * (n / 21 + 1) + 128;
}

size_t smtps_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_forms.quoted_printable(src, n, dst);
}
