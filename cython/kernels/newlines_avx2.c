/* Newlines and dots with AVX2: 64 bytes at a time, in one of three ways.
 *
 * What is clean is copied; where a byte or two are added, the rest of the block is moved behind
 * them; where many are, or a CR stands alone, the plain form goes byte by byte. Each way goes on
 * until the text has plainly changed: a branch that cannot be foretold costs more than they do.
 *
 * All but the first byte of a chunk have their predecessor beside them in memory, so that a line
 * end, or its absence, is seen by two compares without a carry from block to block. */
#include "forms.h"

#if SMTPS_HAS_AVX2

enum {
    HALF = 32,
    BLOCK = 2 * HALF,
    /* Two bytes may be added to the bytes that a step moves, and all are written at once. */
    MOVED = BLOCK - 2,
    /* What a step writes, with the bytes behind that it writes for nothing. */
    REACH = BLOCK + 2,
    /* So many blocks in a row that another way had suited, before it is taken. */
    PATIENCE = 8
};

/* Between the ways, a CR before `src` is written and its LF is not: that follows with the next
 * byte, or at the end. */
typedef struct {
    const uint8_t *src, *end;
    uint8_t *dst, *limit;
} cursor_t;

/* For each byte, whether ... */
typedef struct {
    __m256i bare_lf; /* ... it is an LF without a CR before it */
    __m256i no_lf;   /* ... it is no LF though a CR is before it */
    __m256i dot;     /* ... it is a dot behind an LF */
} marks_t;

SMTPS_AVX2_CODE SMTPS_INLINE __m256i load(const uint8_t *src) {
    return _mm256_loadu_si256((const __m256i *)src);
}

SMTPS_AVX2_CODE SMTPS_INLINE void store(uint8_t *dst, __m256i bytes) {
    _mm256_storeu_si256((__m256i *)dst, bytes);
}

SMTPS_AVX2_CODE SMTPS_INLINE marks_t find_marks(__m256i bytes, __m256i before, int with_dots) {
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i is_lf = _mm256_cmpeq_epi8(bytes, lf);
    const __m256i behind_cr = _mm256_cmpeq_epi8(before, _mm256_set1_epi8('\r'));
    marks_t marks;
    marks.bare_lf = _mm256_andnot_si256(behind_cr, is_lf);
    marks.no_lf = _mm256_andnot_si256(is_lf, behind_cr);
    marks.dot = with_dots ? _mm256_and_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.')),
                                             _mm256_cmpeq_epi8(before, lf))
                          : _mm256_setzero_si256();
    return marks;
}

/* Whether nothing is to be done is cheaper to tell: an LF and a CR before it go together. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i find_changes(__m256i bytes, __m256i before, int with_dots) {
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i unpaired = _mm256_xor_si256(
        _mm256_cmpeq_epi8(bytes, lf), _mm256_cmpeq_epi8(before, _mm256_set1_epi8('\r')));
    if (!with_dots) return unpaired;
    return _mm256_or_si256(unpaired,
                           _mm256_and_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.')),
                                            _mm256_cmpeq_epi8(before, lf)));
}

SMTPS_AVX2_CODE SMTPS_INLINE uint64_t top_bits(__m256i low, __m256i high) {
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)_mm256_movemask_epi8(high) << 32;
}

SMTPS_INLINE size_t bytes_left(const cursor_t *at) { return (size_t)(at->end - at->src); }
SMTPS_INLINE size_t room_left(const cursor_t *at) { return (size_t)(at->limit - at->dst); }

SMTPS_AVX2_CODE SMTPS_INLINE void copy_clean(cursor_t *at, int with_dots) {
    while (bytes_left(at) >= BLOCK && room_left(at) >= BLOCK) {
        const __m256i low = load(at->src), high = load(at->src + HALF);
        const __m256i changes =
            _mm256_or_si256(find_changes(low, load(at->src - 1), with_dots),
                            find_changes(high, load(at->src + HALF - 1), with_dots));
        if (SMTPS_UNLIKELY(!_mm256_testz_si256(changes, changes))) return;
        smtps_prefetch(at->dst + 512);
        store(at->dst, low);
        store(at->dst + HALF, high);
        at->src += BLOCK;
        at->dst += BLOCK;
    }
}

/* From the place `at`, of a block of bytes: none of those before, all of those behind. */
static const uint8_t behind[3 * BLOCK] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    [2 * BLOCK] = EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

/* `bytes` up to `mask`, and from there `moved`. */
SMTPS_AVX2_CODE SMTPS_INLINE __m256i choose(__m256i bytes, __m256i moved, const uint8_t *mask) {
    return _mm256_xor_si256(
        bytes, _mm256_and_si256(_mm256_xor_si256(bytes, moved), load(mask)));
}

SMTPS_AVX2_CODE SMTPS_INLINE void move_apart(cursor_t *at, int with_dots) {
    int idle = 0;
    while (bytes_left(at) > BLOCK + 1 && room_left(at) >= REACH && idle < PATIENCE) {
        const uint8_t *const src = at->src;
        __m256i low = load(src), high = load(src + HALF);
        const __m256i low1 = load(src - 1), high1 = load(src + HALF - 1);
        const marks_t l = find_marks(low, low1, with_dots), h = find_marks(high, high1, with_dots);
        const __m256i no_lf = _mm256_or_si256(l.no_lf, h.no_lf);
        const uint64_t added = smtps_low_bits(MOVED) &
                               top_bits(_mm256_or_si256(l.bare_lf, l.dot),
                                        _mm256_or_si256(h.bare_lf, h.dot));
        const uint64_t others = _blsr_u64(added);
        if (SMTPS_UNLIKELY(!_mm256_testz_si256(no_lf, no_lf) || _blsr_u64(others))) return;
        /* 64, which is beyond the block, where there is none. */
        const size_t first = (size_t)_tzcnt_u64(added), second = (size_t)_tzcnt_u64(others);
        const uint8_t *const from_first = behind + 2 * BLOCK - 1 - first;
        const uint8_t *const from_second = behind + 2 * BLOCK - 2 - second;
        low = choose(choose(low, low1, from_first), load(src - 2), from_second);
        high = choose(choose(high, high1, from_first + HALF), load(src + HALF - 2),
                      from_second + HALF);
        smtps_prefetch(at->dst + 512);
        store(at->dst, low);
        store(at->dst + HALF, high);
        /* A CR before an LF, a dot before a dot. */
        at->dst[first] = src[first] == '\n' ? '\r' : '.';
        at->dst[second + 1] = src[second] == '\n' ? '\r' : '.';
        at->src += MOVED;
        at->dst += MOVED + smtps_count_bits(added);
        idle = added ? 0 : idle + 1;
    }
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
    /* Two bytes before the first block are looked at, so they must be of this chunk. */
    const size_t before = n < 2 ? n : 2;
    go_plainly(&at, before, state, with_dots);
    while (bytes_left(&at) > BLOCK) {
        if (*state & SMTPS_AFTER_CR) at.dst--;
        copy_clean(&at, with_dots);
        move_apart(&at, with_dots);
        const uint8_t last = at.src[-1];
        if (last == '\r') *at.dst++ = '\n';
        *state = last == '\r'   ? SMTPS_AT_LINE_START | SMTPS_AFTER_CR
                 : last == '\n' ? SMTPS_AT_LINE_START
                                : 0;
        if (bytes_left(&at) > BLOCK) go_plainly(&at, BLOCK, state, with_dots);
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
