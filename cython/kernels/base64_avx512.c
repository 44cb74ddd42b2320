/* Base64 with AVX-512 VBMI: 64 bytes of output at a time, whatever lines they belong to. */
#include "forms.h"

#if SMTPS_HAS_AVX512

#include <string.h>

/* Four lines are 312 bytes of output: five stores of 64, the last of which the next step overlaps.
 * What a store holds depends on where in the lines it begins, and is the same for each step. */
enum { LINE_BYTES = 57, LINE_CHARS = 76, LINE_SIZE = 78, STEP_LINES = 4, STORES = 5 };
enum { STEP_BYTES = STEP_LINES * LINE_BYTES, STEP_SIZE = STEP_LINES * LINE_SIZE };
/* The last load of a step reaches this far, and the last store into one line more. */
enum { STEP_REACH = STEP_BYTES + 32 };

/* For the output position p: the characters before it, and the source byte where its bits begin. */
#define CHARS(p)                                                                                   \
    ((p) / LINE_SIZE * LINE_CHARS + ((p) % LINE_SIZE < LINE_CHARS ? (p) % LINE_SIZE : LINE_CHARS))
#define BYTE_OF(p) (CHARS(p) * 6 / 8)
/* Eight characters are cut from eight source bytes, which are first put in big-endian order ... */
#define PICK(p, i) (uint8_t)(BYTE_OF((p) + (i) / 8 * 8) - BYTE_OF(p) + 7 - (i) % 8)
/* ... so that the six bits of one lie this far up. */
#define SHIFT(p, i) (uint8_t)((58 - 6 * CHARS((p) + (i)) + 8 * BYTE_OF((p) + (i) / 8 * 8)) & 63)
/* What is no character: the line ends. */
#define BREAK(p, i)                                                                                \
    (((p) + (i)) % LINE_SIZE == LINE_CHARS       ? '\r'                                            \
     : ((p) + (i)) % LINE_SIZE == LINE_CHARS + 1 ? '\n'                                            \
                                                 : 0)

#define EIGHT(F, p, i)                                                                             \
    F(p, i), F(p, i + 1), F(p, i + 2), F(p, i + 3), F(p, i + 4), F(p, i + 5), F(p, i + 6),         \
        F(p, i + 7)
#define SIXTY_FOUR(F, p)                                                                           \
    {EIGHT(F, p, 0),  EIGHT(F, p, 8),  EIGHT(F, p, 16), EIGHT(F, p, 24),                           \
     EIGHT(F, p, 32), EIGHT(F, p, 40), EIGHT(F, p, 48), EIGHT(F, p, 56)}
#define EACH_STORE(F)                                                                              \
    {SIXTY_FOUR(F, 0), SIXTY_FOUR(F, 64), SIXTY_FOUR(F, 128), SIXTY_FOUR(F, 192),                  \
     SIXTY_FOUR(F, 256)}

static const uint8_t picks[STORES][64] = EACH_STORE(PICK);
static const uint8_t shifts[STORES][64] = EACH_STORE(SHIFT);
static const uint8_t breaks[STORES][64] = EACH_STORE(BREAK);
static const uint8_t alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/'};

/* The 64 bytes of one store, from the 64 source bytes that begin with its first bits. */
#define CUT(source, k)                                                                             \
    _mm512_mask_permutexvar_epi8(                                                                  \
        ends##k, chars##k,                                                                         \
        _mm512_multishift_epi64_epi8(shift##k, _mm512_permutexvar_epi8(pick##k, source)), letters)
#define ENCODE(k)                                                                                  \
    _mm512_storeu_si512(dst + 64 * k, CUT(_mm512_loadu_si512(src + BYTE_OF(64 * k)), k))
#define CONSTANTS(k)                                                                               \
    const __m512i pick##k = _mm512_loadu_si512(picks[k]);                                          \
    const __m512i shift##k = _mm512_loadu_si512(shifts[k]);                                        \
    const __m512i ends##k = _mm512_loadu_si512(breaks[k]);                                         \
    const __mmask64 chars##k = _mm512_testn_epi8_mask(ends##k, ends##k);

/* Lines in fours, as long as the reach of a step lies inside; returns the bytes taken. */
SMTPS_AVX512_CODE static size_t encode_fours(const uint8_t *src, size_t n, uint8_t *dst) {
    const __m512i letters = _mm512_loadu_si512(alphabet);
    CONSTANTS(0) CONSTANTS(1) CONSTANTS(2) CONSTANTS(3) CONSTANTS(4)
    const uint8_t *const start = src;
    for (; n >= STEP_REACH; n -= STEP_BYTES, src += STEP_BYTES, dst += STEP_SIZE) {
        for (int k = 8; k < 8 + STORES; k++) smtps_prefetch(dst + 64 * k);
        ENCODE(0);
        ENCODE(1);
        ENCODE(2);
        ENCODE(3);
        ENCODE(4);
    }
    return (size_t)(src - start);
}

/* One line of 1 to 57 bytes, padded, with its end; returns its size. */
SMTPS_AVX512_CODE static size_t encode_line(const uint8_t *src, size_t n, uint8_t *dst) {
    const __m512i letters = _mm512_loadu_si512(alphabet);
    CONSTANTS(0) CONSTANTS(1)
    const size_t chars = (n + 2) / 3 * 4;
    const __m512i source = _mm512_maskz_loadu_epi8(smtps_low_bits(n), src);
    _mm512_mask_storeu_epi8(dst, smtps_low_bits(chars), CUT(source, 0));
    if (chars > 64) {
        const __m128i rest = _mm512_castsi512_si128(_mm512_maskz_loadu_epi8(
            smtps_low_bits(n - BYTE_OF(64)), src + BYTE_OF(64)));
        const __m512i cut = CUT(_mm512_zextsi128_si512(rest), 1);
        _mm_mask_storeu_epi8(dst + 64, (__mmask16)smtps_low_bits(chars - 64),
                             _mm512_castsi512_si128(cut));
    }
    if (n % 3) dst[chars - 1] = '=';
    if (n % 3 == 1) dst[chars - 2] = '=';
    memcpy(dst + chars, "\r\n", 2);
    return chars + 2;
}

size_t smtps_base64_avx512(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    if (n >= STEP_REACH) {
        const size_t taken = encode_fours(src, n, dst);
        dst += taken / LINE_BYTES * LINE_SIZE;
        src += taken;
        n -= taken;
    }
    while (n > 0) {
        const size_t taken = n < LINE_BYTES ? n : LINE_BYTES;
        dst += encode_line(src, taken, dst);
        src += taken;
        n -= taken;
    }
    return (size_t)(dst - start);
}

#endif
