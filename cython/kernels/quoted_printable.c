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
#include "forms.h"

#include <string.h>

enum { LINE_LIMIT = 76 };

static int is_newline(uint8_t byte) { return byte == '\n' || byte == '\r'; }

static int is_literal(uint8_t byte) {
    return (byte >= ' ' && byte <= '~' && byte != '=') || byte == '\t';
}

/* The bytes of the unit that opens src[0..n). Rule 3. */
static size_t unit_length(const uint8_t *src, size_t n) {
    size_t length = 1;
    if (src[0] >= 0xC0) {
        while (length < n && length < 4 && (src[length] & 0xC0) == 0x80) length++;
    }
    return length;
}

static uint8_t *escape(uint8_t byte, uint8_t *dst) {
    static const uint8_t digits[] = "0123456789ABCDEF";
    dst[0] = '=';
    dst[1] = digits[byte >> 4];
    dst[2] = digits[byte & 15];
    return dst + 3;
}

/* Whether the byte that would open an output line has to be written as "=XX". Rule 5. */
static int needs_guard(const uint8_t *src, size_t n) {
    return src[0] == '.' || (n >= 5 && memcmp(src, "From ", 5) == 0);
}

/* One line of n bytes, without its end. */
static uint8_t *encode_line(const uint8_t *src, size_t n, uint8_t *dst) {
    const uint8_t *const end = src + n;
    unsigned column = 0;
    while (src < end) {
        const size_t left = (size_t)(end - src);
        const size_t length = unit_length(src, left);
        const int ends_line = length == left;
        const int literal = is_literal(src[0]) && !(ends_line && (*src == ' ' || *src == '\t'));
        const unsigned width = literal ? 1 : 3 * (unsigned)length;
        if (column > 0 && column + width > LINE_LIMIT - 1u + ends_line) {
            memcpy(dst, "=\r\n", 3);
            dst += 3;
            column = 0;
        }
        if (literal && !(column == 0 && needs_guard(src, left))) {
            *dst++ = *src++;
            column++;
        } else {
            for (size_t i = 0; i < length; i++) dst = escape(*src++, dst);
            column += 3 * (unsigned)length;
        }
    }
    return dst;
}

size_t smtps_quoted_printable_scalar(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    const uint8_t *const end = src + n;
    while (src < end) {
        const uint8_t *stop = src;
        while (stop < end && !is_newline(*stop)) stop++;
        dst = encode_line(src, (size_t)(stop - src), dst);
        if (stop == end) break;
        src = stop + 1 + (*stop == '\r' && stop + 1 < end && stop[1] == '\n');
        *dst++ = '\r';
        *dst++ = '\n';
    }
    return (size_t)(dst - start);
}

size_t smtps_quoted_printable_bound(size_t n) {
    /* "=XX" for each byte, and one soft break for each output line, which holds at least 21. */
    return 3 * n + 3 * (n / 21 + 1) + 128;
}

size_t smtps_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_forms.quoted_printable(src, n, dst);
}
