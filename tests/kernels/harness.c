/* Holds one kernel at one CPU level against its reference, on buffers that end at a page which
 * nobody may touch.
 *
 *     harness LEVEL KERNEL [all]      0: all equal; 1: a difference, shown; 77: no such CPU
 *     harness levels                  prints the levels that this CPU runs */
#define _GNU_SOURCE
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPAN = 1 << 16, SIZE_MAX_TESTED = 4096 };

/* SPAN bytes between two pages that fault. */
typedef struct {
    uint8_t *start, *end;
} region_t;

static region_t source, target, expected;

static region_t guarded_region(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *const base =
        mmap(NULL, SPAN + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, SPAN, PROT_READ | PROT_WRITE)) abort();
    return (region_t){base + page, base + page + SPAN};
}

static uint32_t random_state = 2463534242u;

static uint32_t random_below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (uint32_t)((uint64_t)random_state * limit >> 32);
}

static void show(const char *name, const uint8_t *bytes, size_t n) {
    printf("%s (%zu):", name, n);
    for (size_t i = 0; i < n; i++) printf(" %02x", bytes[i]);
    printf("\n");
}

static void differ(const char *what, const uint8_t *src, size_t n) {
    printf("%s differs\n", what);
    show("source", src, n);
    exit(1);
}

static void same_bytes(const char *what, const uint8_t *src, size_t n, const uint8_t *got,
                       size_t got_size, const uint8_t *want, size_t want_size) {
    if (got_size == want_size && memcmp(got, want, want_size) == 0) return;
    show("got", got, got_size);
    show("want", want, want_size);
    differ(what, src, n);
}

/* Each check takes a source anywhere, and places it and its output against the fatal pages. */
typedef void check_t(const uint8_t *src, size_t n);

static void check_base64(const uint8_t *src, size_t n) {
    const size_t want = reference_base64(src, n, expected.start);
    if (smtps_base64_size(n) != want) differ("base64 size", src, n);
    uint8_t *const dst = target.end - want;
    const size_t got = smtps_base64(src, n, dst);
    same_bytes("base64", src, n, dst, got, expected.start, want);
}

static size_t rewrite(
    const uint8_t *src, size_t n, uint8_t *dst, size_t room, uint8_t *state, int dots) {
    return dots ? smtps_stuff(src, n, dst, room, state)
                : smtps_normalize(src, n, dst, room, state);
}

static void check_rewriting(const uint8_t *src, size_t n, int dots) {
    static const uint8_t states[] = {0, SMTPS_AT_LINE_START, SMTPS_AT_LINE_START | SMTPS_AFTER_CR};
    const char *const what = dots ? "stuff" : "normalize";
    for (size_t s = 0; s < sizeof states; s++) {
        uint8_t want_state = states[s], state = states[s];
        const size_t want = reference_newlines(src, n, expected.start, &want_state, dots);
        const size_t rooms[] = {want, 2 * n, want + random_below(100)};
        for (size_t r = 0; r < 3; r++) {
            if (rooms[r] < want) continue;
            uint8_t *const dst = target.end - rooms[r];
            state = states[s];
            const size_t got = rewrite(src, n, dst, rooms[r], &state, dots);
            same_bytes(what, src, n, dst, got, expected.start, want);
            if (state != want_state) differ("state", src, n);
        }
        uint8_t *const dst = target.end - want;
        size_t done = 0, written = 0;
        state = states[s];
        while (done < n) {
            size_t cut = 1 + random_below((uint32_t)(n - done));
            if (random_below(2) && cut > 8) cut = 1 + random_below(8);
            written += rewrite(src + done, cut, dst + written, want - written, &state, dots);
            done += cut;
        }
        same_bytes("chunked", src, n, dst, written, expected.start, want);
        if (n && state != want_state) differ("chunked state", src, n);
    }
}

static void check_stuff(const uint8_t *src, size_t n) { check_rewriting(src, n, 1); }
static void check_normalize(const uint8_t *src, size_t n) { check_rewriting(src, n, 0); }

static int same_survey(const smtps_survey_t *a, const smtps_survey_t *b) {
    return a->longest_line == b->longest_line && a->current_line == b->current_line &&
           a->eight_bit == b->eight_bit && a->nul == b->nul && a->bare_cr == b->bare_cr &&
           a->bare_lf == b->bare_lf && a->crlf == b->crlf && a->dots == b->dots &&
           a->after_cr == b->after_cr;
}

static void check_survey(const uint8_t *src, size_t n) {
    smtps_survey_t want, whole = {0}, chunked = {0};
    reference_survey(src, n, &want);
    smtps_survey(src, n, &whole);
    if (n && whole.after_cr != (src[n - 1] == '\r')) differ("survey, pending CR", src, n);
    smtps_survey_end(&whole);
    if (!same_survey(&whole, &want)) differ("survey", src, n);
    for (size_t done = 0; done < n;) {
        size_t cut = 1 + random_below((uint32_t)(n - done));
        if (random_below(2) && cut > 8) cut = 1 + random_below(8);
        smtps_survey(src + done, cut, &chunked);
        done += cut;
    }
    smtps_survey_end(&chunked);
    if (!same_survey(&chunked, &want)) differ("survey in chunks", src, n);
}

static void check_quoted_printable(const uint8_t *src, size_t n) {
    const size_t want = reference_quoted_printable(src, n, expected.start);
    if (want > smtps_quoted_printable_bound(n)) differ("quoted-printable bound", src, n);
    uint8_t *const dst = target.end - smtps_quoted_printable_bound(n);
    const size_t got = smtps_quoted_printable(src, n, dst);
    same_bytes("quoted-printable", src, n, dst, got, expected.start, want);
}

static void check_latin1(const uint8_t *src, size_t n) {
    const size_t want = reference_latin1(src, n, expected.start);
    uint8_t *const dst = target.end - (2 * n + 64);
    const size_t got = smtps_latin1(src, n, dst);
    same_bytes("latin1", src, n, dst, got, expected.start, want);
}

static void check_replies(const uint8_t *src, size_t n) {
    const size_t limits[] = {SPAN / sizeof(smtps_line_t), random_below(4)};
    for (size_t k = 0; k < 2; k++) {
        smtps_line_t *const want = (smtps_line_t *)expected.start;
        size_t want_consumed, consumed;
        const size_t count = reference_reply_lines(src, n, want, limits[k], &want_consumed);
        smtps_line_t *const lines = (smtps_line_t *)target.end - count;
        const size_t limit = k ? limits[k] : count;
        if (k) memset(lines, 0, count * sizeof *lines);
        const size_t got = smtps_scan_reply_lines(src, n, lines, limit < count ? limit : count,
                                                  &consumed);
        if (consumed != want_consumed) differ("consumed", src, n);
        same_bytes("replies", src, n, (uint8_t *)lines, got * sizeof *lines, (uint8_t *)want,
                   count * sizeof *want);
    }
    const uint8_t *const lf = memchr(src, '\n', n);
    if (smtps_find_lf(src, n) != (lf ? (size_t)(lf - src) : n)) differ("find_lf", src, n);
}

static check_t *check;

/* The source against the page behind it, then against the page before it. */
static void try_body(const uint8_t *body, size_t n) {
    memcpy(source.end - n, body, n);
    check(source.end - n, n);
    memcpy(source.start, body, n);
    check(source.start, n);
}

static int near_an_edge(size_t position, size_t n) {
    const size_t in16 = position % 16, in57 = position % 57, in75 = position % 75;
    return in16 <= 1 || in16 >= 14 || in57 <= 1 || in57 >= 56 || in75 <= 1 || in75 >= 73 ||
           position + 3 >= n;
}

/* Every byte value at every place around the edges of blocks and lines, for 0 to 200 bytes of plain
 * text; on other grounds, the values that mean something. */
static void sweep_bytes(int all) {
    static const char *const grounds[] = {"a", "abc\r\n", "\n", ".\n", "\r.", "\xC3\xA9", "250 "};
    static const uint8_t telling[] = "\0\t\n\r \x7F\x80\xBF\xC0\xFF.=F~!-2";
    uint8_t body[256];
    for (size_t g = 0; g < sizeof grounds / sizeof *grounds; g++) {
        const size_t period = strlen(grounds[g]);
        for (size_t n = 0; n <= 200; n += all || n < 70 ? 1 : 5) {
            for (size_t i = 0; i < n; i++) body[i] = (uint8_t)grounds[g][i % period];
            try_body(body, n);
            const int any_value = g == 0 && (all || n % 8 <= 1);
            for (size_t position = 0; position < n; position++) {
                if (!near_an_edge(position, n)) continue;
                const uint8_t before = body[position];
                for (size_t v = 0; v < (any_value ? 256 : sizeof telling - 1); v++) {
                    body[position] = any_value ? (uint8_t)v : telling[v];
                    memcpy(source.end - n, body, n);
                    check(source.end - n, n);
                }
                body[position] = before;
            }
        }
    }
}

/* Bodies of a few telling pieces, or of any bytes, with stretches of plain text between. */
static void random_bodies(int rounds) {
    static const char *const pieces[] = {
        "\r", "\n", "\r\n", ".", "..", "\r\n.", "\n.", "\r.", "=", " ", "\t", " \r\n", "From ",
        "\nFrom ", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\x80", "\xC0", "\xFF",
        "250 ok\r\n", "250-more\r\n", "354\n", "999 no\r\n", "2", "x", "The quick brown fox jumps",
        "a line of text which is rather long, as some mail programs do still write them today",
    };
    static uint8_t body[SIZE_MAX_TESTED + 256];
    const uint32_t kinds = sizeof pieces / sizeof *pieces;
    for (int round = 0; round < rounds; round++) {
        const size_t limit = random_below(round % 16 ? 400 : SIZE_MAX_TESTED);
        const uint32_t first = random_below(kinds), few = 1 + random_below(5);
        const uint32_t plain = random_below(4) ? random_below(80) : 0;
        size_t n = 0;
        while (n < limit) {
            if (random_below(100) < plain) {
                const uint32_t run = random_below(100);
                for (uint32_t k = 0; k < run; k++) body[n++] = (uint8_t)('a' + k % 26);
            } else if (round % 7 == 0) {
                body[n++] = (uint8_t)random_below(256);
            } else {
                const char *const piece =
                    pieces[round % 3 ? random_below(kinds) : (first + random_below(few)) % kinds];
                memcpy(body + n, piece, strlen(piece));
                n += strlen(piece);
            }
        }
        try_body(body, n < limit ? n : limit);
    }
}

typedef struct {
    const char *name;
    check_t *check;
} named_check_t;

static const named_check_t checks[] = {
    {"base64", check_base64},   {"stuff", check_stuff},
    {"normalize", check_normalize}, {"survey", check_survey},
    {"quoted_printable", check_quoted_printable}, {"latin1", check_latin1},
    {"replies", check_replies},
};

static const char *const levels[] = {"scalar", "neon", "avx2", "avx512vbmi"};

static int level_named(const char *name) {
    for (int level = 0; level < 4; level++)
        if (strcmp(levels[level], name) == 0) return level;
    return -1;
}

int main(int count, char **words) {
    if (count == 2 && strcmp(words[1], "levels") == 0) {
        for (int level = 0; level < 4; level++)
            if (smtps_cpu_supports(level)) printf("%s\n", levels[level]);
        return 0;
    }
    if (count < 3) return 2;
    if (smtps_cpu_use(level_named(words[1]))) return 77;
    if (smtps_cpu_level() != level_named(words[1])) return 1;
    for (size_t k = 0; k < sizeof checks / sizeof *checks; k++)
        if (strcmp(checks[k].name, words[2]) == 0) check = checks[k].check;
    if (!check) return 2;
    const int all = count > 3;
    source = guarded_region();
    target = guarded_region();
    expected = guarded_region();
    sweep_bytes(all);
    random_bodies(all ? 40000 : 3000);
    printf("%s %s: equal\n", words[1], words[2]);
    return 0;
}
