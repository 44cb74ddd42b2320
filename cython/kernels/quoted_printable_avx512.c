/* Quoted-printable with AVX-512 VBMI2: three places for each of 21 bytes, and what is not in use
 * pressed out of them. */
#include "quoted_printable.h"

#if SMTPS_HAS_AVX512

enum { GROUP = 21, GROUPS = 3, BLOCK = GROUPS * GROUP };

/* The first of each three places. */
static const uint64_t firsts = 0x1249249249249249u;

/* Which byte of a group belongs to a place. */
#define PLACE(i) (uint8_t)((i) / 3)
#define EIGHT(i)                                                                                   \
    PLACE(i), PLACE(i + 1), PLACE(i + 2), PLACE(i + 3), PLACE(i + 4), PLACE(i + 5), PLACE(i + 6),  \
        PLACE(i + 7)
static const uint8_t places[64] = {EIGHT(0),  EIGHT(8),  EIGHT(16), EIGHT(24),
                                   EIGHT(32), EIGHT(40), EIGHT(48), EIGHT(56)};

SMTPS_AVX512_CODE SMTPS_INLINE __mmask64 find_byte(__m512i block, char byte) {
    return _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(byte));
}

/* The bytes of one group, of which some are kept and some escaped. */
SMTPS_AVX512_CODE SMTPS_INLINE uint8_t *spread_group(
    __m512i block, unsigned first, uint64_t kept, uint64_t escaped, uint8_t *dst) {
    const __m512i digits = _mm512_broadcast_i32x4(_mm_setr_epi8(
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'));
    const __m512i source =
        _mm512_add_epi8(_mm512_loadu_si512(places), _mm512_set1_epi8((char)first));
    const uint64_t signs = _pdep_u64(escaped >> first, firsts);
    const uint64_t in_use = _pdep_u64(kept >> first, firsts) | signs << 1 | signs << 2;
    const __m512i bytes = _mm512_permutexvar_epi8(source, block);
    const __m512i nibbles = _mm512_and_si512(
        _mm512_mask_mov_epi8(bytes, firsts << 1, _mm512_srli_epi16(bytes, 4)),
        _mm512_set1_epi8(15));
    const __m512i escapes =
        _mm512_mask_mov_epi8(_mm512_shuffle_epi8(digits, nibbles), firsts, bytes);
    const __m512i out = _mm512_mask_mov_epi8(escapes, signs, _mm512_set1_epi8('='));
    _mm512_storeu_si512(dst, _mm512_maskz_compress_epi8(in_use, out));
    return dst + smtps_count_bits(in_use);
}

/* The stage is not looked at: the next byte tells what white space ends a line. */
SMTPS_AVX512_CODE static uint8_t *escape_slice(
    const uint8_t *src, size_t n, const uint8_t *text, const uint8_t *end, uint8_t *stage,
    uint8_t *dst) {
    (void)stage;
    const uint8_t *const stop = src + n;
    while (src < stop) {
        const size_t left = (size_t)(stop - src), taken = left < BLOCK ? left : BLOCK;
        const uint64_t own = smtps_low_bits(taken);
        const uint64_t after_cr = src > text && src[-1] == '\r';
        const uint64_t before_end =
            src + taken == end || src[taken] == '\n' || src[taken] == '\r';
        const __m512i block = _mm512_maskz_loadu_epi8(own, src);
        const uint64_t cr = find_byte(block, '\r'), lf = find_byte(block, '\n');
        const uint64_t tab = find_byte(block, '\t');
        const uint64_t blank = tab | find_byte(block, ' ');
        const uint64_t ends = cr | lf;
        /* As signed numbers, the bytes above 127 are below all others. */
        const uint64_t low = _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(' '));
        const uint64_t others = find_byte(block, '=') | find_byte(block, 127);
        const uint64_t at_end = blank & (ends >> 1 | before_end << (taken - 1));
        const uint64_t escaped = own & ((low & ~(tab | ends)) | others | at_end);
        const uint64_t kept = own & ~(lf & (cr << 1 | after_cr));
        /* Every newline becomes an LF; of a CRLF, the CR does. */
        const __m512i bytes = _mm512_mask_mov_epi8(block, cr, _mm512_set1_epi8('\n'));
        if (escaped) {
            dst = spread_group(bytes, 0, kept, escaped, dst);
            dst = spread_group(bytes, GROUP, kept, escaped, dst);
            dst = spread_group(bytes, 2 * GROUP, kept, escaped, dst);
        } else {
            _mm512_storeu_si512(dst, _mm512_maskz_compress_epi8(kept, bytes));
            dst += smtps_count_bits(kept);
        }
        src += taken;
    }
    return dst;
}

SMTPS_AVX512_CODE SMTPS_INLINE void copy_line(uint8_t *dst, const uint8_t *line) {
    _mm512_storeu_si512(dst, _mm512_loadu_si512(line));
    _mm_storeu_si128(
        (__m128i *)(dst + 64), _mm_loadu_si128((const __m128i *)(line + 64)));
}

/* The ends of lines, one after the other. Where they are does not depend on where lines are cut, so
 * that nothing has to wait for the search. */
typedef struct {
    const uint8_t *block;
    uint64_t marks;
} line_ends_t;

SMTPS_AVX512_CODE SMTPS_INLINE const uint8_t *next_end(line_ends_t *ends, const uint8_t *stop) {
    while (!ends->marks) {
        ends->block += 64;
        /* Farther than any line reaches. */
        if (ends->block >= stop) return stop + SLACK;
        ends->marks = find_byte(_mm512_loadu_si512(ends->block), '\n');
    }
    const uint8_t *const found = ends->block + _tzcnt_u64(ends->marks);
    ends->marks &= ends->marks - 1;
    return found;
}

/* As `break_lines` of quoted_printable.h. */
SMTPS_AVX512_CODE static uint8_t *break_at_ends(
    uint8_t *text, size_t n, int is_last, uint8_t *dst, size_t *taken) {
    const uint8_t *line = text, *const end = text + n, *const stop = end + is_last;
    if (is_last) text[n] = '\n';
    const size_t ahead = is_last ? 1 : LOOKAHEAD;
    line_ends_t ends = {text, find_byte(_mm512_loadu_si512(text), '\n')};
    const uint8_t *line_end = next_end(&ends, stop);
    while ((size_t)(end - line) >= ahead) {
        size_t limit = LINE_LIMIT;
        dst = open_line(&line, &limit, dst);
        copy_line(dst, line);
        const size_t found = (size_t)(line_end - line);
        if (found <= limit) {
            dst += found;
            line = line_end;
            if (line == end) break;
            memcpy(dst, "\r\n", 2);
            dst += 2;
            line++;
            line_end = next_end(&ends, stop);
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

SMTPS_AVX512_CODE size_t smtps_quoted_printable_avx512(
    const uint8_t *src, size_t n, uint8_t *dst) {
    return encode_text(src, n, dst, escape_slice, break_at_ends);
}

#endif
