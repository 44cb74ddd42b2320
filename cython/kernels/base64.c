/* Base64 in lines of 76 characters and CRLF, as MIME wants it. RFC 2045, section 6.8. */
#include "forms.h"

#include <string.h>

enum { LINE_BYTES = 57, LINE_SIZE = 78 };

/* Two characters for each twelve bits: half the look-ups that an alphabet of 64 needs. */
#define P(high, low) {high, low},
#define ROW(high)                                                                                 \
    P(high, 'A') P(high, 'B') P(high, 'C') P(high, 'D') P(high, 'E') P(high, 'F') P(high, 'G')    \
    P(high, 'H') P(high, 'I') P(high, 'J') P(high, 'K') P(high, 'L') P(high, 'M') P(high, 'N')    \
    P(high, 'O') P(high, 'P') P(high, 'Q') P(high, 'R') P(high, 'S') P(high, 'T') P(high, 'U')    \
    P(high, 'V') P(high, 'W') P(high, 'X') P(high, 'Y') P(high, 'Z') P(high, 'a') P(high, 'b')    \
    P(high, 'c') P(high, 'd') P(high, 'e') P(high, 'f') P(high, 'g') P(high, 'h') P(high, 'i')    \
    P(high, 'j') P(high, 'k') P(high, 'l') P(high, 'm') P(high, 'n') P(high, 'o') P(high, 'p')    \
    P(high, 'q') P(high, 'r') P(high, 's') P(high, 't') P(high, 'u') P(high, 'v') P(high, 'w')    \
    P(high, 'x') P(high, 'y') P(high, 'z') P(high, '0') P(high, '1') P(high, '2') P(high, '3')    \
    P(high, '4') P(high, '5') P(high, '6') P(high, '7') P(high, '8') P(high, '9') P(high, '+')    \
    P(high, '/')

static const uint8_t PAIRS[4096][2] = {
    ROW('A') ROW('B') ROW('C') ROW('D') ROW('E') ROW('F') ROW('G') ROW('H') ROW('I') ROW('J')
    ROW('K') ROW('L') ROW('M') ROW('N') ROW('O') ROW('P') ROW('Q') ROW('R') ROW('S') ROW('T')
    ROW('U') ROW('V') ROW('W') ROW('X') ROW('Y') ROW('Z') ROW('a') ROW('b') ROW('c') ROW('d')
    ROW('e') ROW('f') ROW('g') ROW('h') ROW('i') ROW('j') ROW('k') ROW('l') ROW('m') ROW('n')
    ROW('o') ROW('p') ROW('q') ROW('r') ROW('s') ROW('t') ROW('u') ROW('v') ROW('w') ROW('x')
    ROW('y') ROW('z') ROW('0') ROW('1') ROW('2') ROW('3') ROW('4') ROW('5') ROW('6') ROW('7')
    ROW('8') ROW('9') ROW('+') ROW('/')
};
#undef ROW
#undef P

/* The characters of n bytes, padded at the end, without a line end. */
static uint8_t *encode_run(const uint8_t *src, size_t n, uint8_t *dst) {
    for (; n >= 3; n -= 3, src += 3, dst += 4) {
        memcpy(dst, PAIRS[src[0] << 4 | src[1] >> 4], 2);
        memcpy(dst + 2, PAIRS[(src[1] & 15) << 8 | src[2]], 2);
    }
    if (n == 0) return dst;
    const unsigned second = n == 2 ? src[1] : 0;
    memcpy(dst, PAIRS[src[0] << 4 | second >> 4], 2);
    dst[2] = n == 2 ? PAIRS[(second & 15) << 8][0] : '=';
    dst[3] = '=';
    return dst + 4;
}

size_t smtps_base64_scalar(const uint8_t *src, size_t n, uint8_t *dst) {
    uint8_t *const start = dst;
    while (n > 0) {
        const size_t taken = n < LINE_BYTES ? n : LINE_BYTES;
        dst = encode_run(src, taken, dst);
        *dst++ = '\r';
        *dst++ = '\n';
        src += taken;
        n -= taken;
    }
    return (size_t)(dst - start);
}

size_t smtps_base64_size(size_t n) {
    const size_t rest = n % LINE_BYTES;
    return n / LINE_BYTES * LINE_SIZE + (rest ? (rest + 2) / 3 * 4 + 2 : 0);
}

size_t smtps_base64(const uint8_t *src, size_t n, uint8_t *dst) {
    return smtps_forms.base64(src, n, dst);
}
