/* The spellings of GCC, Clang and MSVC, and what this build can hold.
 *
 * A form is compiled for its CPU by an attribute of the function, not by a flag for the file: one
 * build holds them all, and nothing else of it needs more than the oldest CPU has. MSVC takes the
 * instructions anywhere. */
#ifndef SMTPS_COMPILER_H
#define SMTPS_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER) && !defined(__clang__)
#define SMTPS_INLINE static __forceinline
#define SMTPS_UNLIKELY(x) (x)
#define SMTPS_TARGET(features)
#include <intrin.h>
#else
#define SMTPS_INLINE static inline __attribute__((always_inline))
#define SMTPS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SMTPS_TARGET(features) __attribute__((target(features)))
#endif

/* 64 bits only: the forms keep the marks of 64 bytes in one register. ARM64EC calls itself x64, and
 * is emulated there. */
#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define SMTPS_HAS_AVX2 1
#include <immintrin.h>
/* The compilers that know VBMI2. */
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 8) ||                                  \
    (defined(_MSC_VER) && _MSC_VER >= 1920)
#define SMTPS_HAS_AVX512 1
#endif
#elif (defined(__aarch64__) && !defined(__AARCH64EB__)) || defined(_M_ARM64)
#define SMTPS_HAS_NEON 1
#include <arm_neon.h>
#endif

#define SMTPS_AVX2_CODE SMTPS_TARGET("avx2,bmi,bmi2,lzcnt,popcnt")
#define SMTPS_AVX512_CODE                                                                          \
    SMTPS_TARGET("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2")

#if SMTPS_HAS_AVX2
/* Brings the line at `address` near for a store to come. It may lie beyond any buffer: a prefetch
 * never faults. A buffer of some 100 KiB lies in the second level cache, where a store that misses
 * the first waits; asked for half a KiB ahead, base64 writes a quarter faster. */
SMTPS_INLINE void smtps_prefetch(const uint8_t *address) {
    _mm_prefetch((const char *)address, _MM_HINT_T0);
}
#endif

/* Marks that were moved to a general register stay there. GCC would rather mask the next compare
 * with them, which takes longer than all the rest of a block. */
#if defined(_MSC_VER) && !defined(__clang__)
#define SMTPS_KEEP_APART(marks) ((void)0)
#define SMTPS_KEEP_LOADED(vector) ((void)0)
#else
#define SMTPS_KEEP_APART(marks) __asm__("" : "+r"(marks))
/* Nor is a vector that is used twice to be loaded twice, as a part of what uses it. */
#define SMTPS_KEEP_LOADED(vector) __asm__("" : "+x"(vector))
#endif

/* The position of the lowest bit that is set; `bits` is not 0. */
SMTPS_INLINE unsigned smtps_first_bit(uint64_t bits) {
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long position;
    _BitScanForward64(&position, bits);
    return (unsigned)position;
#else
    return (unsigned)__builtin_ctzll(bits);
#endif
}

/* How many zeros are above the highest bit that is set; `bits` is not 0. */
SMTPS_INLINE size_t smtps_bits_above(uint64_t bits) {
#if defined(_MSC_VER) && !defined(__clang__)
    unsigned long position;
    _BitScanReverse64(&position, bits);
    return 63 - position;
#else
    return (size_t)__builtin_clzll(bits);
#endif
}

/* How many bits are set. One instruction in the forms for a CPU that has it. */
SMTPS_INLINE size_t smtps_count_bits(uint64_t bits) {
#if defined(_MSC_VER) && !defined(__clang__) && defined(_M_ARM64)
    return (size_t)_CountOneBits64(bits);
#elif defined(_MSC_VER) && !defined(__clang__)
    return (size_t)__popcnt64(bits);
#else
    return (size_t)__builtin_popcountll(bits);
#endif
}

/* The bits below `count`, which is at most 64. */
SMTPS_INLINE uint64_t smtps_low_bits(size_t count) {
    return count < 64 ? ((uint64_t)1 << count) - 1 : ~(uint64_t)0;
}

#endif
