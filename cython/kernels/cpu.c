/* Which forms run: what the build, the CPU and the operating system all support. */
#include "forms.h"

#if SMTPS_HAS_AVX2
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif
#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#define SMTPS_FORMS(level)                                                                         \
    {                                                                                              \
        smtps_base64_##level, smtps_normalize_##level, smtps_stuff_##level, smtps_survey_##level,  \
            smtps_quoted_printable_##level, smtps_latin1_##level, smtps_scan_reply_lines_##level   \
    }

static const smtps_forms_t scalar_forms = SMTPS_FORMS(scalar);
#if SMTPS_HAS_NEON
static const smtps_forms_t neon_forms = SMTPS_FORMS(neon);
#endif
#if SMTPS_HAS_AVX2
static const smtps_forms_t avx2_forms = SMTPS_FORMS(avx2);
#endif
#if SMTPS_HAS_AVX512
static const smtps_forms_t avx512_forms = SMTPS_FORMS(avx512);
#endif

smtps_forms_t smtps_forms = SMTPS_FORMS(scalar);
static int current_level = SMTPS_SCALAR;

#if SMTPS_HAS_AVX2

typedef struct {
    uint32_t eax, ebx, ecx, edx;
} registers_t;

static registers_t cpuid(uint32_t leaf) {
    registers_t r;
#if defined(_MSC_VER)
    int words[4];
    __cpuidex(words, (int)leaf, 0);
    r.eax = (uint32_t)words[0];
    r.ebx = (uint32_t)words[1];
    r.ecx = (uint32_t)words[2];
    r.edx = (uint32_t)words[3];
#else
    __cpuid_count(leaf, 0, r.eax, r.ebx, r.ecx, r.edx);
#endif
    return r;
}

/* The registers that the operating system saves when it switches threads. */
SMTPS_TARGET("xsave") static uint64_t saved_registers(void) {
#if defined(_MSC_VER)
    return _xgetbv(0);
#else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
#endif
}

static int has_all(uint64_t bits, uint64_t wanted) { return (bits & wanted) == wanted; }

/* macOS saves the wide registers only of threads that have used them, so that xgetbv tells
 * nothing before; it says by name what it would save. */
static int system_saves_avx512(uint64_t saved) {
#if defined(__APPLE__)
    int yes = 0;
    size_t size = sizeof yes;
    (void)saved;
    return sysctlbyname("hw.optional.avx512f", &yes, &size, NULL, 0) == 0 && yes;
#else
    return has_all(saved, 0xE6);
#endif
}

static int x86_level(void) {
    enum { OSXSAVE = 1 << 27, AVX = 1 << 28, POPCNT = 1 << 23, LZCNT = 1 << 5 };
    enum { BMI1 = 1 << 3, AVX2 = 1 << 5, BMI2 = 1 << 8, AVX512F = 1 << 16, AVX512BW = 1 << 30 };
    enum { VBMI = 1 << 1, VBMI2 = 1 << 6 };
    const uint32_t avx512vl = 1u << 31;
    if (cpuid(0).eax < 7 || cpuid(0x80000000u).eax < 0x80000001u) return SMTPS_SCALAR;
    const registers_t basic = cpuid(1), more = cpuid(7);
    if (!has_all(basic.ecx, OSXSAVE | AVX | POPCNT)) return SMTPS_SCALAR;
    const uint64_t saved = saved_registers();
    if (!has_all(saved, 0x06)) return SMTPS_SCALAR;
    if (!has_all(more.ebx, AVX2 | BMI1 | BMI2)) return SMTPS_SCALAR;
    if (!has_all(cpuid(0x80000001u).ecx, LZCNT)) return SMTPS_SCALAR;
    if (!has_all(more.ebx, AVX512F | AVX512BW | avx512vl)) return SMTPS_AVX2;
    if (!has_all(more.ecx, VBMI | VBMI2)) return SMTPS_AVX2;
    return system_saves_avx512(saved) ? SMTPS_AVX512 : SMTPS_AVX2;
}

#endif

/* The forms of a level, or NULL where it cannot run. */
static const smtps_forms_t *forms_of(int level) {
    switch (level) {
    case SMTPS_SCALAR: return &scalar_forms;
#if SMTPS_HAS_NEON
    /* Every ARM of 64 bits has it. */
    case SMTPS_NEON: return &neon_forms;
#endif
#if SMTPS_HAS_AVX2
    case SMTPS_AVX2: return x86_level() >= SMTPS_AVX2 ? &avx2_forms : NULL;
#endif
#if SMTPS_HAS_AVX512
    case SMTPS_AVX512: return x86_level() >= SMTPS_AVX512 ? &avx512_forms : NULL;
#endif
    default: return NULL;
    }
}

int smtps_cpu_supports(int level) { return forms_of(level) != NULL; }

int smtps_cpu_best(void) {
    int level = SMTPS_AVX512;
    while (!smtps_cpu_supports(level)) level--;
    return level;
}

int smtps_cpu_use(int level) {
    const smtps_forms_t *const forms = forms_of(level);
    if (forms == NULL) return -1;
    smtps_forms = *forms;
    current_level = level;
    return 0;
}

int smtps_cpu_level(void) { return current_level; }
