/* The spellings of GCC, Clang and MSVC, and what this build can hold. */
#ifndef SMTPS_COMPILER_H
#define SMTPS_COMPILER_H

#if defined(_MSC_VER) && !defined(__clang__)
#define SMTPS_INLINE static __forceinline
#define SMTPS_LIKELY(x) (x)
#define SMTPS_UNLIKELY(x) (x)
#else
#define SMTPS_INLINE static inline __attribute__((always_inline))
#define SMTPS_LIKELY(x) __builtin_expect(!!(x), 1)
#define SMTPS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif

#endif
