/* Newlines and dots with AVX-512: 64 bytes at a time, in one of several ways.
 *
 * What is clean is copied; where a few bytes are added, VBMI2's expand moves the others apart
 * within one store; where many are, it does so for half a block. No way is the best for all text,
 * and a branch in each block that cannot be foretold costs more than any of them: so each goes on
 * until the text has plainly changed. */
#include "forms.h"

#if SMTPS_HAS_AVX512

#include <string.h>

enum {
    BLOCK = 64,
    /* The most that a block becomes: each byte twice, and the LF that a CR before it lacks. */
    SPREAD = 2 * BLOCK + 1,
    /* How many bytes are added to a block, where they are told apart from more. */
    FEW = 2,
    SOME = 4,
    /* So many blocks in a row another way has suited, before it is taken; a power of two. */
    PATIENCE = 8
};

/* Between the ways, a CR before `src` is written and its LF is not: that follows with the next
 * byte, or at the end. So the byte before tells all that one block must know of another. */
typedef struct {
    const uint8_t *src, *end;
    uint8_t *dst, *limit;
} cursor_t;

typedef struct {
    uint64_t cr, lf, dot; /* one bit for each byte */
} marks_t;

SMTPS_AVX512_CODE SMTPS_INLINE marks_t find_marks(__m512i block, int with_dots) {
    marks_t marks;
    marks.cr = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\r'));
    marks.lf = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    marks.dot = with_dots ? _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('.')) : 0;
    SMTPS_KEEP_APART(marks.cr);
    SMTPS_KEEP_APART(marks.lf);
    SMTPS_KEEP_APART(marks.dot);
    return marks;
}

SMTPS_INLINE size_t bytes_left(const cursor_t *at) { return (size_t)(at->end - at->src); }
SMTPS_INLINE size_t room_left(const cursor_t *at) { return (size_t)(at->limit - at->dst); }

/* How many steps of a block surely lie inside the source and the room. */
SMTPS_INLINE size_t safe_steps(const cursor_t *at) {
    const size_t left = bytes_left(at), room = room_left(at);
    return (left < room ? left : room) / BLOCK;
}

/* What of a block is not clean, after the bytes before it. */
SMTPS_AVX512_CODE SMTPS_INLINE uint64_t find_changes(
    __m512i block, int with_dots, uint64_t *after_cr, uint64_t *after_lf) {
    const marks_t marks = find_marks(block, with_dots);
    const uint64_t unpaired = marks.lf ^ (marks.cr << 1 | *after_cr);
    const uint64_t dots = marks.dot & (marks.lf << 1 | *after_lf);
    *after_cr = marks.cr >> (BLOCK - 1);
    *after_lf = marks.lf >> (BLOCK - 1);
    return unpaired | dots;
}

/* Blocks are loaded by eights before they are stored: a load right behind a store waits for it if
 * their addresses are the same but for a multiple of 4096. */
SMTPS_AVX512_CODE SMTPS_INLINE void copy_clean(cursor_t *at, int with_dots) {
    const uint8_t *src = at->src;
    uint8_t *dst = at->dst;
    uint64_t after_cr = src[-1] == '\r', after_lf = src[-1] == '\n';
    for (size_t steps = safe_steps(at) / 8; steps > 0; steps--) {
        __m512i blocks[8];
        uint64_t changes = 0;
        for (int k = 0; k < 8; k++) {
            blocks[k] = _mm512_loadu_si512(src + BLOCK * k);
            changes |= find_changes(blocks[k], with_dots, &after_cr, &after_lf);
        }
        if (SMTPS_UNLIKELY(changes != 0)) break;
        for (int k = 0; k < 8; k++) {
            smtps_prefetch(dst + BLOCK * k + 512);
            _mm512_storeu_si512(dst + BLOCK * k, blocks[k]);
        }
        src += 8 * BLOCK;
        dst += 8 * BLOCK;
    }
    at->src = src;
    at->dst = dst;
}

/* What is to be done with a dot that opens a line. */
enum { IGNORED, REFUSED, DOUBLED };

/* Steps of a block, that begins with the byte before: it shows what the first one follows, and is
 * written again. At most `most` bytes are added in a step, so that all of it fits one store. Ends
 * where more are, a CR stands alone, or nothing has shown for a while that this way is needed. */
SMTPS_AVX512_CODE SMTPS_INLINE void move_apart(cursor_t *at, const unsigned most, const int dots) {
    const size_t moved = BLOCK - 1 - most;
    const uint64_t own = smtps_low_bits(moved + 1) & ~(uint64_t)1;
    const __m512i cr = _mm512_set1_epi8('\r'), dot = _mm512_set1_epi8('.');
    const uint8_t *src = at->src;
    uint8_t *dst = at->dst;
    uint64_t needed = 1;
    for (size_t steps = safe_steps(at); steps > 0; steps--) {
        const __m512i block = _mm512_loadu_si512(src - 1);
        const marks_t marks = find_marks(block, dots != IGNORED);
        const uint64_t behind_cr = marks.cr << 1, opening = marks.dot & marks.lf << 1;
        uint64_t added = marks.lf & ~behind_cr, unfit = behind_cr & ~marks.lf;
        if (dots == REFUSED) unfit |= opening;
        if (dots == DOUBLED) added |= opening;
        added &= own;
        const size_t count = smtps_count_bits(added);
        if (SMTPS_UNLIKELY(count > most || unfit)) break;
        /* Each place is moved on by one for each before it: the sums do that. */
        const uint64_t second = _blsr_u64(added), third = _blsr_u64(second);
        uint64_t places = added + second;
        if (most > FEW) places += 2 * third + 4 * _blsr_u64(third);
        __m512i fill = cr;
        if (dots == DOUBLED)
            fill = _mm512_mask_mov_epi8(
                fill, _pdep_u64(_pext_u64(opening, added), places), dot);
        smtps_prefetch(dst + 512);
        _mm512_storeu_si512(dst - 1, _mm512_mask_expand_epi8(fill, ~places, block));
        src += moved;
        dst += moved + count;
        needed |= most > FEW ? third | opening : added;
        if (steps % PATIENCE == 0) {
            if (!needed) break;
            needed = 0;
        }
    }
    at->src = src;
    at->dst = dst;
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

/* The next 1 to 64 bytes, where `before` is the byte before them, or what amounts to it; SPREAD
 * bytes of room. Returns how many bytes were added. */
SMTPS_AVX512_CODE SMTPS_INLINE size_t spread_block(
    cursor_t *at, size_t n, uint8_t before, int with_dots) {
    __m512i block = _mm512_maskz_loadu_epi8(smtps_low_bits(n), at->src);
    const marks_t marks = find_marks(block, with_dots);
    uint64_t after_cr = before == '\r', after_lf = before == '\n';
    if (SMTPS_UNLIKELY(after_cr & ~marks.lf)) {
        *at->dst++ = '\n';
        after_cr = 0;
        after_lf = 1;
    }
    const uint64_t bare_lf = marks.lf & ~(marks.cr << 1 | after_cr);
    const uint64_t bare_cr = marks.cr & ~(marks.lf >> 1) & smtps_low_bits(n - 1);
    const uint64_t dots = marks.dot & ((marks.lf | bare_cr) << 1 | after_lf);
    const uint64_t added = bare_lf | bare_cr | dots;
    /* A bare CR becomes an LF, before which a CR is added. */
    block = _mm512_mask_mov_epi8(block, bare_cr, _mm512_set1_epi8('\n'));
    const size_t half = BLOCK / 2, first = n < half ? n : half;
    at->dst = spread_half(_mm512_castsi512_si256(block), first, (uint32_t)added, (uint32_t)dots,
                          at->dst);
    if (n > half)
        at->dst = spread_half(_mm512_extracti64x4_epi64(block, 1), n - half, added >> half,
                              dots >> half, at->dst);
    at->src += n;
    return smtps_count_bits(added);
}

SMTPS_AVX512_CODE SMTPS_INLINE void spread(cursor_t *at, int with_dots) {
    int idle = 0;
    while (bytes_left(at) >= BLOCK && room_left(at) >= SPREAD && idle < 2)
        idle = spread_block(at, BLOCK, at->src[-1], with_dots) <= FEW ? idle + 1 : 0;
}

/* A block that is cut short by the end of the source or of the room is made aside. */
SMTPS_AVX512_CODE SMTPS_INLINE void spread_aside(cursor_t *at, uint8_t before, int with_dots) {
    uint8_t aside[SPREAD + BLOCK];
    uint8_t *const dst = at->dst;
    at->dst = aside;
    spread_block(at, bytes_left(at) < BLOCK ? bytes_left(at) : BLOCK, before, with_dots);
    const size_t size = (size_t)(at->dst - aside);
    memcpy(dst, aside, size);
    at->dst = dst + size;
}

SMTPS_AVX512_CODE SMTPS_INLINE size_t rewrite(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state, int with_dots) {
    if (n == 0) return 0;
    cursor_t at = {src, src + n, dst, dst + room};
    if (*state & SMTPS_AFTER_CR && *src == '\n') at.src++;
    if (at.src < at.end) spread_aside(&at, *state & SMTPS_AT_LINE_START ? '\n' : 0, with_dots);
    while (bytes_left(&at) >= BLOCK && room_left(&at) >= SPREAD) {
        copy_clean(&at, with_dots);
        move_apart(&at, FEW, with_dots ? REFUSED : IGNORED);
        move_apart(&at, SOME, with_dots ? DOUBLED : IGNORED);
        spread(&at, with_dots);
    }
    while (at.src < at.end) spread_aside(&at, at.src[-1], with_dots);
    const uint8_t last = at.end[-1];
    if (last == '\r') *at.dst++ = '\n';
    *state = last == '\r'   ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
             : last == '\n' ? SMTPS_AT_LINE_START
                            : 0;
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
