#include "reference.h"

#include <stdlib.h>
#include <string.h>

size_t reference_base64(const uint8_t *src, size_t n, uint8_t *dst) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0, column = 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) bits = bits << 8 | (i + k < n ? src[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            const int padding = i + k > n;
            dst[size++] = padding ? '=' : (uint8_t)alphabet[bits >> (18 - 6 * k) & 63];
        }
        column += 4;
        if (column == 76 || i + 3 >= n) {
            dst[size++] = '\r';
            dst[size++] = '\n';
            column = 0;
        }
    }
    return size;
}

size_t reference_newlines(const uint8_t *src, size_t n, uint8_t *dst, uint8_t *state, int dots) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        const int after_cr = i ? src[i - 1] == '\r' : (*state & SMTPS_AFTER_CR) != 0;
        const int after_newline =
            i ? src[i - 1] == '\r' || src[i - 1] == '\n' : (*state & SMTPS_AT_LINE_START) != 0;
        if (src[i] == '\n' && after_cr) continue;
        if (src[i] == '\n' || src[i] == '\r') {
            dst[size++] = '\r';
            dst[size++] = '\n';
            continue;
        }
        if (dots && src[i] == '.' && after_newline) dst[size++] = '.';
        dst[size++] = src[i];
    }
    if (n > 0) {
        const uint8_t last = src[n - 1];
        *state = last == '\r'   ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
                 : last == '\n' ? SMTPS_AT_LINE_START
                                : 0;
    }
    return size;
}

void reference_survey(const uint8_t *src, size_t n, smtps_survey_t *survey) {
    memset(survey, 0, sizeof *survey);
    size_t line = 0;
    for (size_t i = 0; i < n; i++) {
        const int before_lf = i + 1 < n && src[i + 1] == '\n';
        const int after_cr = i > 0 && src[i - 1] == '\r';
        survey->eight_bit += src[i] > 127;
        survey->nul += src[i] == 0;
        survey->crlf += src[i] == '\r' && before_lf;
        survey->bare_cr += src[i] == '\r' && !before_lf;
        survey->bare_lf += src[i] == '\n' && !after_cr;
        survey->dots += src[i] == '.' && (i == 0 || src[i - 1] == '\n' || src[i - 1] == '\r');
        line = src[i] == '\r' || src[i] == '\n' ? 0 : line + 1;
        if (line > survey->longest_line) survey->longest_line = line;
    }
    survey->current_line = line;
}

size_t reference_latin1(const uint8_t *src, size_t n, uint8_t *dst) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        if (src[i] > 127) dst[size++] = (uint8_t)(0xC0 + src[i] / 64);
        dst[size++] = src[i] > 127 ? (uint8_t)(0x80 + src[i] % 64) : src[i];
    }
    return size;
}

/* Rules 1 to 5 of quoted_printable.c, one unit at a time: first the text of the unit, then the
 * question whether it still fits. */
size_t reference_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst) {
    size_t size = 0, column = 0;
    for (size_t i = 0; i < n;) {
        if (src[i] == '\r' || src[i] == '\n') {
            i += src[i] == '\r' && i + 1 < n && src[i + 1] == '\n' ? 2 : 1;
            dst[size++] = '\r';
            dst[size++] = '\n';
            column = 0;
            continue;
        }
        size_t unit = 1;
        while (src[i] >= 0xC0 && unit < 4 && i + unit < n && src[i + unit] >= 0x80 &&
               src[i + unit] <= 0xBF)
            unit++;
        const int ends_line = i + unit == n || src[i + unit] == '\r' || src[i + unit] == '\n';
        const int blank = src[i] == ' ' || src[i] == '\t';
        const int plain = (src[i] > 32 && src[i] < 127 && src[i] != '=') || (blank && !ends_line);
        const size_t width = plain ? 1 : 3 * unit;
        if (column && column + width > (ends_line ? 76 : 75)) {
            memcpy(dst + size, "=\r\n", 3);
            size += 3;
            column = 0;
        }
        const int from = i + 5 <= n && memcmp(src + i, "From ", 5) == 0;
        const int guard = column == 0 && (src[i] == '.' || from);
        for (size_t k = 0; k < unit; k++, i++) {
            if (plain && !guard) {
                dst[size++] = src[i];
                column++;
            } else {
                dst[size++] = '=';
                dst[size++] = (uint8_t)"0123456789ABCDEF"[src[i] / 16];
                dst[size++] = (uint8_t)"0123456789ABCDEF"[src[i] % 16];
                column += 3;
            }
        }
    }
    return size;
}

size_t reference_reply_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed) {
    size_t found = 0, start = 0;
    *consumed = 0;
    for (size_t i = 0; i < n && found < max_lines; i++) {
        if (src[i] != '\n') continue;
        const size_t end = i > start && src[i - 1] == '\r' ? i - 1 : i;
        const size_t length = end - start;
        char text[5] = "";
        memcpy(text, src + start, length < 4 ? length : 4);
        const int code = length >= 3 && strspn(text, "0123456789") >= 3
                             ? (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0'
                             : 0;
        const int separated = length == 3 || (length > 3 && (text[3] == ' ' || text[3] == '-'));
        smtps_line_t *const line = &lines[found++];
        if (code >= 200 && code < 600 && separated) {
            const size_t prefix = length == 3 ? 3 : 4;
            *line = (smtps_line_t){(uint32_t)(start + prefix), (uint32_t)(length - prefix),
                                   (uint16_t)code, text[3] != '-', SMTPS_LINE_GOOD};
        } else {
            *line = (smtps_line_t){(uint32_t)start, (uint32_t)length, 0, 1, SMTPS_LINE_MALFORMED};
        }
        start = i + 1;
        *consumed = start;
    }
    return found;
}
