/* The hot loops of smtps: bytes to bytes, no Python, no policy, no memory of their own.
 *
 * Every function is safe for any bytes and any length, reads only src[0..n) and writes only what
 * it says. Source and destination must not overlap. Each exists in several forms; smtps_cpu_use()
 * switches all of them, and every form gives the same bytes. They start as plain C. */
#ifndef SMTPS_KERNELS_H
#define SMTPS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* SMTPS_AVX512 stands for F, BW, VL, VBMI and VBMI2 together (Ice Lake, Zen 4 and later). */
enum { SMTPS_SCALAR = 0, SMTPS_NEON = 1, SMTPS_AVX2 = 2, SMTPS_AVX512 = 3 };

/* 1 if this build, this CPU and this operating system can all run `level`. */
int smtps_cpu_supports(int level);
int smtps_cpu_best(void);
/* Switches every kernel to `level`: 0, or -1 and no change where it is not supported. Not to be
 * called while another thread is inside a kernel. */
int smtps_cpu_use(int level);
int smtps_cpu_level(void);

/* Base64 in lines of at most 76 characters, each ended by CRLF. RFC 2045, section 6.8. Nothing is
 * written for n = 0. `dst` holds exactly smtps_base64_size(n) bytes; returns that size. To stream,
 * feed multiples of 57 bytes and keep the rest for later. */
size_t smtps_base64_size(size_t n);
size_t smtps_base64(const uint8_t *src, size_t n, uint8_t *dst);

/* Newlines and dots. Every CRLF, bare CR and bare LF becomes CRLF; smtps_stuff also doubles a dot
 * that opens a line. RFC 5321, sections 2.3.8 and 4.5.2.
 *
 * `state` lives from chunk to chunk and starts as SMTPS_AT_LINE_START. After a CR its CRLF is
 * already written, and SMTPS_AFTER_CR says that an LF to come belongs to it.
 *
 * `room` is the number of bytes at `dst`: at least the exact size, which is at most 2 * n. Not a
 * byte is written beyond it. Fastest with n + n / 4 or more, because the last bytes before the
 * limit are written with care. Returns the bytes written. */
enum { SMTPS_AT_LINE_START = 1, SMTPS_AFTER_CR = 2 };
size_t smtps_normalize(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state);
size_t smtps_stuff(const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state);

/* What a body holds, in one pass. Zero the struct, feed the chunks, then call smtps_survey_end().
 * A line ends at CRLF, bare LF or bare CR; lengths are bytes without the line end. Between chunks
 * all is true of what was fed, except that a CR at the very end is in no count yet. */
typedef struct {
    size_t longest_line; /* the unfinished last line counts as a line */
    size_t current_line; /* bytes of the unfinished line; 0 means at the start of a line */
    size_t eight_bit;    /* bytes above 127 */
    size_t nul;
    size_t bare_cr;
    size_t bare_lf;
    size_t crlf;
    size_t dots; /* lines that open with a dot */
    uint8_t after_cr;
} smtps_survey_t;
void smtps_survey(const uint8_t *src, size_t n, smtps_survey_t *survey);
void smtps_survey_end(smtps_survey_t *survey);

/* Quoted-printable of text, RFC 2045, section 6.7; the exact definition opens quoted_printable.c.
 * `dst` has smtps_quoted_printable_bound(n) bytes of room; returns the bytes written. */
size_t smtps_quoted_printable_bound(size_t n);
size_t smtps_quoted_printable(const uint8_t *src, size_t n, uint8_t *dst);

/* UTF-8 of ISO 8859-1. `dst` has 2 * n + 64 bytes of room, since what is written is written in wide
 * pieces; returns the bytes that count. */
size_t smtps_latin1(const uint8_t *src, size_t n, uint8_t *dst);

/* The position of the first LF in src[0..n), or n. */
size_t smtps_find_lf(const uint8_t *src, size_t n);

/* Complete reply lines: [2-5][0-9][0-9], then space, hyphen or the line end, which is LF with one
 * optional CR before it. RFC 5321, section 4.2. `start` and `length` delimit the text behind the
 * code and separator; of a malformed line, all but its end, with code = 0 and last = 1.
 * Writes up to `max_lines` entries and returns how many; `consumed` is the end of the last one.
 * Only the first 4 GiB of `src` are looked at. */
enum { SMTPS_LINE_GOOD = 0, SMTPS_LINE_MALFORMED = 1 };
typedef struct {
    uint32_t start;
    uint32_t length;
    uint16_t code;
    uint8_t last; /* 1: the final line of its reply; 0: more follow ("250-...") */
    uint8_t kind;
} smtps_line_t;
size_t smtps_scan_reply_lines(
    const uint8_t *src, size_t n, smtps_line_t *lines, size_t max_lines, size_t *consumed);

#endif
