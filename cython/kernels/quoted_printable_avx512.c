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

SMTPS_AVX512_CODE SMTPS_INLINE size_t find_line_end(const uint8_t *line) {
    const uint64_t first = find_byte(_mm512_loadu_si512(line), '\n');
    const uint64_t rest = _mm_cmpeq_epi8_mask(
        _mm_loadu_si128((const __m128i *)(line + 64)), _mm_set1_epi8('\n'));
    return first ? (size_t)_tzcnt_u64(first) : 64 + (size_t)_tzcnt_u64(rest);
}

SMTPS_AVX512_CODE SMTPS_INLINE void copy_line(uint8_t *dst, const uint8_t *line) {
    _mm512_storeu_si512(dst, _mm512_loadu_si512(line));
    _mm_storeu_si128(
        (__m128i *)(dst + 64), _mm_loadu_si128((const __m128i *)(line + 64)));
}

SMTPS_AVX512_CODE size_t smtps_quoted_printable_avx512(
    const uint8_t *src, size_t n, uint8_t *dst) {
    return encode_text(src, n, dst, escape_slice, find_line_end, copy_line);
}

#endif
