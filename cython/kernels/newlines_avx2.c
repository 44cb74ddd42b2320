/* Newlines and dots with AVX2: 64 bytes at a time, in one of three ways.
 *
 * What is clean is copied; where a byte or two are added, the rest of the block is moved behind
 * them; where many are, or a CR stands alone, the plain form goes byte by byte. Each way goes on
 * until the text has plainly changed: a branch that cannot be foretold costs more than they do. */
#include "forms.h"

#if SMTPS_HAS_AVX2

#include <string.h>

enum {
    HALF = 32,
    BLOCK = 2 * HALF,
    /* Two bytes may be added to the bytes that a step moves, and all are written at once. */
    MOVED = BLOCK - 1 - 2,
    /* What a step reads and writes, with two bytes for nothing. */
    REACH = BLOCK + 2,
    /* So many blocks in a row another way has suited, before it is taken; a power of two. */
    PATIENCE = 8
};

/* Between the ways, a CR before `src` is written and its LF is not: that follows with the next
 * byte, or at the end. */
typedef struct {
    const uint8_t *src, *end;
    uint8_t *dst, *limit;
} cursor_t;

SMTPS_AVX2_CODE SMTPS_INLINE __m256i load(const uint8_t *src) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)src);
    SMTPS_KEEP_LOADED(bytes);
    return bytes;
}

SMTPS_AVX2_CODE SMTPS_INLINE void store(uint8_t *dst, __m256i bytes) {
    _mm256_storeu_si256((__m256i *)dst, bytes);
}

SMTPS_AVX2_CODE SMTPS_INLINE __m256i find_byte(__m256i bytes, char byte) {
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte));
}

SMTPS_AVX2_CODE SMTPS_INLINE uint32_t top_bits(__m256i bytes) {
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

SMTPS_INLINE size_t bytes_left(const cursor_t *at) { return (size_t)(at->end - at->src); }
SMTPS_INLINE size_t room_left(const cursor_t *at) { return (size_t)(at->limit - at->dst); }

/* How many steps of `size` bytes surely lie inside the source and the room. */
SMTPS_INLINE size_t safe_steps(const cursor_t *at, size_t size) {
    const size_t left = bytes_left(at), room = room_left(at);
    return (left < room ? left : room) / size;
}

/* An LF and a CR before it go together. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i find_unpaired(__m256i bytes, __m256i before) {
    return _mm256_xor_si256(find_byte(bytes, '\n'), find_byte(before, '\r'));
}

/* Dots that open a line. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i find_openings(__m256i bytes, __m256i before) {
    return _mm256_and_si256(find_byte(bytes, '.'), find_byte(before, '\n'));
}

SMTPS_AVX2_CODE SMTPS_INLINE void copy_clean(cursor_t *at, int with_dots) {
    const uint8_t *src = at->src;
    uint8_t *dst = at->dst;
    __m256i last = _mm256_set1_epi8((char)src[-1]);
    for (size_t steps = safe_steps(at, 2 * BLOCK); steps > 0; steps--) {
        __m256i bytes[4], changes[4];
        for (int k = 0; k < 4; k++) {
            bytes[k] = load(src + HALF * k);
            /* Moved up by a byte here: loads that cross a line of the cache take longer. */
            const __m256i across = _mm256_permute2x128_si256(last, bytes[k], 0x21);
            const __m256i before = _mm256_alignr_epi8(bytes[k], across, 15);
            changes[k] = find_unpaired(bytes[k], before);
            if (with_dots)
                changes[k] = _mm256_or_si256(changes[k], find_openings(bytes[k], before));
            last = bytes[k];
        }
        const __m256i any = _mm256_or_si256(_mm256_or_si256(changes[0], changes[1]),
                                            _mm256_or_si256(changes[2], changes[3]));
        if (SMTPS_UNLIKELY(!_mm256_testz_si256(any, any))) break;
        for (int k = 0; k < 4; k++) store(dst + HALF * k, bytes[k]);
        src += 2 * BLOCK;
        dst += 2 * BLOCK;
    }
    at->src = src;
    at->dst = dst;
}

/* From some place of half a block on, all bits are set: loaded at a distance from the middle. */
static const uint8_t behind[3 * HALF] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    [2 * HALF] = EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

/* `bytes` up to `place`, and behind it `moved`, which begin one byte earlier. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i choose(__m256i bytes, __m256i moved, size_t place) {
    const __m256i is_behind = load(behind + 2 * HALF - 1 - place);
    return _mm256_xor_si256(bytes, _mm256_and_si256(_mm256_xor_si256(bytes, moved), is_behind));
}

/* Where a byte is added to each half of a block, HALF or more if there is none. */
typedef struct {
    const uint8_t *high; /* the second half of the output begins here in the source */
    size_t first, second;
} places_t;

/* The second half begins a byte earlier if one was added to the first. */
SMTPS_AVX2_CODE SMTPS_INLINE places_t find_places(
    const uint8_t *low, uint32_t in_low, uint32_t in_high) {
    const size_t grown = in_low != 0;
    const places_t places = {
        low + HALF - grown, _tzcnt_u32(in_low), _tzcnt_u32(in_high) + grown};
    return places;
}

/* A block begins with the byte before it, which is written again: not a place of its own. */
enum { LOW_OWN = ~1, HIGH_OWN = (1 << (MOVED + 1 - HALF)) - 1 };

/* Told by one compare: whether there is an LF in half a block is not to be foretold. */
SMTPS_INLINE int is_dotted_line(const uint8_t *lf) {
    uint16_t pair;
    memcpy(&pair, lf, 2);
    return pair == ('\n' | '.' << 8);
}

/* Text without any CR, as long as no more than a byte is added to half a block. */
SMTPS_AVX2_CODE SMTPS_INLINE void add_returns(cursor_t *at, int with_dots) {
    const uint8_t *src = at->src;
    uint8_t *dst = at->dst;
    uint32_t needed = 1;
    if (with_dots && bytes_left(at) > 0 && is_dotted_line(src - 1)) return;
    for (size_t steps = safe_steps(at, REACH); steps > 0; steps--) {
        const uint8_t *const low = src - 1;
        uint8_t *const to = dst - 1;
        const __m256i bytes = load(low), more = load(low + HALF);
        const uint32_t in_low = top_bits(find_byte(bytes, '\n')) & (uint32_t)LOW_OWN;
        const uint32_t in_high = top_bits(find_byte(more, '\n')) & (uint32_t)HIGH_OWN;
        const uint32_t crs =
            top_bits(_mm256_or_si256(find_byte(bytes, '\r'), find_byte(more, '\r')));
        if (SMTPS_UNLIKELY((crs | _blsr_u32(in_low) | _blsr_u32(in_high)) != 0)) break;
        const places_t at_lf = find_places(low, in_low, in_high);
        if (with_dots && (is_dotted_line(low + at_lf.first) |
                          is_dotted_line(at_lf.high + at_lf.second)))
            break;
        store(to, choose(bytes, load(low - 1), at_lf.first));
        to[at_lf.first] = '\r';
        store(to + HALF, choose(load(at_lf.high), load(at_lf.high - 1), at_lf.second));
        to[HALF + at_lf.second] = '\r';
        src += MOVED;
        dst += MOVED + (in_low != 0) + (in_high != 0);
        needed |= in_low | in_high;
        if (steps % PATIENCE == 0) {
            if (!needed) break;
            needed = 0;
        }
    }
    at->src = src;
    at->dst = dst;
}

/* Text whose newlines are CRLF, as long as no more than a dot is added to half a block. */
SMTPS_AVX2_CODE SMTPS_INLINE void add_dots(cursor_t *at) {
    const uint8_t *src = at->src;
    uint8_t *dst = at->dst;
    uint32_t needed = 1;
    for (size_t steps = safe_steps(at, REACH); steps > 0; steps--) {
        const uint8_t *const low = src - 1;
        uint8_t *const to = dst - 1;
        const __m256i bytes = load(low), before = load(low - 1);
        const __m256i more = load(low + HALF), before_more = load(low + HALF - 1);
        const uint32_t in_low = top_bits(find_openings(bytes, before)) & (uint32_t)LOW_OWN;
        const uint32_t in_high =
            top_bits(find_openings(more, before_more)) & (uint32_t)HIGH_OWN;
        const uint32_t unpaired = top_bits(
            _mm256_or_si256(find_unpaired(bytes, before), find_unpaired(more, before_more)));
        if (SMTPS_UNLIKELY((unpaired | _blsr_u32(in_low) | _blsr_u32(in_high)) != 0)) break;
        const places_t at_dot = find_places(low, in_low, in_high);
        store(to, choose(bytes, before, at_dot.first));
        store(to + HALF, choose(load(at_dot.high), load(at_dot.high - 1), at_dot.second));
        src += MOVED;
        dst += MOVED + (in_low != 0) + (in_high != 0);
        needed |= in_low | in_high;
        if (steps % PATIENCE == 0) {
            if (!needed) break;
            needed = 0;
        }
    }
    at->src = src;
    at->dst = dst;
}

/* The next `n` bytes in the plain form, which writes the LF at once and tells so in its state. */
SMTPS_INLINE void go_plainly(cursor_t *at, size_t n, uint8_t *state, int with_dots) {
    const size_t room = (size_t)(at->limit - at->dst);
    at->dst += with_dots ? smtps_stuff_scalar(at->src, n, at->dst, room, state)
                         : smtps_normalize_scalar(at->src, n, at->dst, room, state);
    at->src += n;
}

SMTPS_AVX2_CODE SMTPS_INLINE size_t rewrite(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state, int with_dots) {
    cursor_t at = {src, src + n, dst, dst + room};
    /* Two bytes before a block are looked at, so they must be of this chunk. */
    const size_t before = n < 2 ? n : 2;
    go_plainly(&at, before, state, with_dots);
    size_t step = HALF;
    while (bytes_left(&at) > step + BLOCK) {
        const uint8_t *const from = at.src;
        if (*state & SMTPS_AFTER_CR) at.dst--;
        copy_clean(&at, with_dots);
        add_returns(&at, with_dots);
        if (with_dots) add_dots(&at);
        const uint8_t last = at.src[-1];
        if (last == '\r') *at.dst++ = '\n';
        *state = last == '\r'   ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
                 : last == '\n' ? SMTPS_AT_LINE_START
                                : 0;
        /* A little way, unless there is nothing else to be had here. */
        step = at.src > from ? HALF : step < 4 * BLOCK ? 2 * step : step;
        if (bytes_left(&at) > step) go_plainly(&at, step, state, with_dots);
    }
    go_plainly(&at, bytes_left(&at), state, with_dots);
    return (size_t)(at.dst - dst);
}

SMTPS_AVX2_CODE size_t smtps_normalize_avx2(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 0);
}

SMTPS_AVX2_CODE size_t smtps_stuff_avx2(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state) {
    return rewrite(src, n, dst, room, state, 1);
}

#endif
