/* Newlines and dots with AVX-512: 64 bytes at a time, in one of three ways.
 *
 * What is clean is copied, where a byte or two are added the rest of the block is moved behind
 * them, and where many are, the bytes are spread by VBMI2's expand. No way is the best for all
 * text, and a branch in each block that cannot be foretold costs more than any of them: so each
 * goes on until the text has plainly changed. */
#include "forms.h"

#if SMTPS_HAS_AVX512

#include <string.h>

enum {
    BLOCK = 64,
    /* The most that a block becomes: each byte twice, and the LF that a CR before it lacks. */
    SPREAD = 2 * BLOCK + 1,
    /* Two bytes may be added to the bytes that a step moves, and all are written at once. */
    MOVED = BLOCK - 2,
    MOST_ADDED = 2,
    /* So many blocks in a row that another way had suited, before it is taken. */
    PATIENCE = 8
};

/* A CR that ends a block is written as it is; its LF follows with the next byte, or at the end. */
typedef struct {
    const uint8_t *src, *end;
    uint8_t *dst, *limit;
    uint64_t after_cr, at_start; /* 0 or 1 */
} cursor_t;

typedef struct {
    uint64_t cr, lf, dot; /* one bit for each byte */
} marks_t;

SMTPS_AVX512_CODE SMTPS_INLINE marks_t find_marks(__m512i block, int with_dots) {
    marks_t marks;
    marks.cr = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\r'));
    marks.lf = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    marks.dot = with_dots ? _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('.')) : 0;
    return marks;
}

SMTPS_INLINE size_t bytes_left(const cursor_t *at) { return (size_t)(at->end - at->src); }
SMTPS_INLINE size_t room_left(const cursor_t *at) { return (size_t)(at->limit - at->dst); }

SMTPS_AVX512_CODE SMTPS_INLINE void copy_clean(cursor_t *at, int with_dots) {
    while (bytes_left(at) >= BLOCK && room_left(at) >= BLOCK) {
        const __m512i block = _mm512_loadu_si512(at->src);
        const marks_t marks = find_marks(block, with_dots);
        const uint64_t unpaired = marks.lf ^ (marks.cr << 1 | at->after_cr);
        const uint64_t dots = marks.dot & (marks.lf << 1 | at->at_start);
        if (SMTPS_UNLIKELY((unpaired | dots) != 0)) return;
        smtps_prefetch(at->dst + 512);
        _mm512_storeu_si512(at->dst, block);
        at->after_cr = marks.cr >> (BLOCK - 1);
        at->at_start = marks.lf >> (BLOCK - 1);
        at->src += BLOCK;
        at->dst += BLOCK;
    }
}

/* Before a byte is added, the bytes behind it are taken from one place, then two places further
 * down. That reads two bytes before the block, which must exist. */
SMTPS_AVX512_CODE SMTPS_INLINE void move_apart(cursor_t *at, int with_dots) {
    const __m512i cr = _mm512_set1_epi8('\r');
    int idle = 0;
    while (bytes_left(at) >= BLOCK && room_left(at) >= BLOCK && idle < PATIENCE) {
        __m512i block = _mm512_loadu_si512(at->src);
        const marks_t marks = find_marks(block, with_dots);
        const uint64_t behind_cr = marks.cr << 1 | at->after_cr;
        const uint64_t bare_lf = marks.lf & ~behind_cr;
        const uint64_t dots = marks.dot & (marks.lf << 1 | at->at_start);
        const uint64_t added = (bare_lf | dots) & smtps_low_bits(MOVED);
        const uint64_t count = (uint64_t)_mm_popcnt_u64(added);
        if (SMTPS_UNLIKELY(count > MOST_ADDED || behind_cr & ~marks.lf)) return;
        const uint64_t second = _blsr_u64(added), first = added ^ second;
        /* What is added before a dot is a dot, which is there already. */
        const uint64_t returned = (bare_lf & first) | (bare_lf & second) << 1;
        block = _mm512_mask_loadu_epi8(block, ~_blsmsk_u64(added), at->src - 1);
        block = _mm512_mask_loadu_epi8(block, ~_blsmsk_u64(second) << 1, at->src - 2);
        smtps_prefetch(at->dst + 512);
        _mm512_storeu_si512(at->dst, _mm512_mask_mov_epi8(block, returned, cr));
        at->after_cr = marks.cr >> (MOVED - 1) & 1;
        at->at_start = marks.lf >> (MOVED - 1) & 1;
        at->src += MOVED;
        at->dst += MOVED + count;
        idle = added ? 0 : idle + 1;
    }
}

/* Half a block of `n` bytes; `added` has a bit for each byte that another one goes before. */
SMTPS_AVX512_CODE SMTPS_INLINE uint8_t *spread_half(
    __m256i half, size_t n, uint64_t added, uint64_t dots, uint8_t *dst) {
    /* Two places for each byte: the upper one always in use, the lower one where one is added.
     * What is in use, pushed together, is the output. */
    const uint64_t upper = 0xAAAAAAAAAAAAAAAAu;
    const uint64_t in_use = upper | _pdep_u64(added, ~upper);
    const __m512i crs = _mm512_set1_epi8('\r');
    __m512i out = _mm512_mask_expand_epi8(
        crs, _pext_u64(upper, in_use), _mm512_castsi256_si512(half));
    if (dots) {
        const uint64_t doubled = _pext_u64(_pdep_u64(dots, ~upper), in_use);
        out = _mm512_mask_mov_epi8(out, doubled, _mm512_set1_epi8('.'));
    }
    _mm512_storeu_si512(dst, out);
    return dst + n + (size_t)_mm_popcnt_u64(added);
}

/* The next 1 to 64 bytes; SPREAD bytes of room. Returns how many bytes were added. */
SMTPS_AVX512_CODE SMTPS_INLINE size_t spread_block(cursor_t *at, size_t n, int with_dots) {
    __m512i block = _mm512_maskz_loadu_epi8(smtps_low_bits(n), at->src);
    const marks_t marks = find_marks(block, with_dots);
    if (SMTPS_UNLIKELY(at->after_cr & ~marks.lf)) {
        *at->dst++ = '\n';
        at->after_cr = 0;
        at->at_start = 1;
    }
    const uint64_t bare_lf = marks.lf & ~(marks.cr << 1 | at->after_cr);
    const uint64_t bare_cr = marks.cr & ~(marks.lf >> 1) & smtps_low_bits(n - 1);
    const uint64_t dots = marks.dot & ((marks.lf | bare_cr) << 1 | at->at_start);
    const uint64_t added = bare_lf | bare_cr | dots;
    /* A bare CR becomes an LF, before which a CR is added. */
    block = _mm512_mask_mov_epi8(block, bare_cr, _mm512_set1_epi8('\n'));
    const size_t half = BLOCK / 2, first = n < half ? n : half;
    at->dst = spread_half(_mm512_castsi512_si256(block), first, (uint32_t)added, (uint32_t)dots,
                          at->dst);
    if (n > half)
        at->dst = spread_half(_mm512_extracti64x4_epi64(block, 1), n - half, added >> half,
                              dots >> half, at->dst);
    at->after_cr = marks.cr >> (n - 1) & 1;
    at->at_start = marks.lf >> (n - 1) & 1;
    at->src += n;
    return (size_t)_mm_popcnt_u64(added);
}

SMTPS_AVX512_CODE SMTPS_INLINE void spread(cursor_t *at, int with_dots) {
    int idle = 0;
    while (bytes_left(at) >= BLOCK && room_left(at) >= SPREAD && idle < 2)
        idle = spread_block(at, BLOCK, with_dots) <= MOST_ADDED ? idle + 1 : 0;
}

/* Blocks that are cut short by the end of the source or of the room: made aside. */
SMTPS_AVX512_CODE static void spread_rest(cursor_t *at, int with_dots) {
    uint8_t aside[SPREAD + BLOCK];
    while (bytes_left(at) > 0) {
        uint8_t *const dst = at->dst;
        at->dst = aside;
        spread_block(at, bytes_left(at) < BLOCK ? bytes_left(at) : BLOCK, with_dots);
        const size_t size = (size_t)(at->dst - aside);
        memcpy(dst, aside, size);
        at->dst = dst + size;
    }
}

SMTPS_AVX512_CODE SMTPS_INLINE size_t rewrite(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state, int with_dots) {
    if (n == 0) return 0;
    cursor_t at = {src, src + n, dst, dst + room, 0, *state & SMTPS_AT_LINE_START};
    if (*state & SMTPS_AFTER_CR && *src == '\n') at.src++;
    while (bytes_left(&at) >= BLOCK && room_left(&at) >= SPREAD) {
        copy_clean(&at, with_dots);
        if (at.src >= src + MOST_ADDED) move_apart(&at, with_dots);
        spread(&at, with_dots);
    }
    spread_rest(&at, with_dots);
    if (at.after_cr) *at.dst++ = '\n';
    *state = (uint8_t)(at.after_cr ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
                       : at.at_start ? SMTPS_AT_LINE_START : 0);
    return (size_t)(at.dst - dst);
}

SMTPS_AVX512_CODE size_t smtps_normalize_avx512(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 0);
}

SMTPS_AVX512_CODE size_t smtps_stuff_avx512(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 1);
}

#endif
