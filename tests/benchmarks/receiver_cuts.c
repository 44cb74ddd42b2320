/* Feed a conversation to the receiver whole, at every cut, and byte by byte: the replies and the
 * tally have to be the same. Prints them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "receiver.h"

static const struct rules rules = {
    .pipelining = true, .chunking = true, .starttls = true, .ids = true, .size_limit = 60, .refused = "gone"};

static char said[1 << 16];
static size_t length;

/* A copy of just this size, so that a read past its end is seen. */
static size_t feed(struct receiver *r, size_t from, size_t to)
{
    char *copy = malloc(to - from + !(to - from));
    memcpy(copy, said + from, to - from);
    size_t used = receiver_take(r, copy, to - from);
    free(copy);
    return used;
}

static struct tally converse(struct receiver *r, size_t cut, int by_byte)
{
    static struct tally tally;
    memset(&tally, 0, sizeof tally);
    receiver_start(r, &rules, &tally);
    if (by_byte)
        for (size_t at = 0; at < length; at++)
            feed(r, at, at + 1);
    else if (feed(r, 0, cut) == cut)
        feed(r, cut, length);
    return tally;
}

static int same(struct receiver *a, struct tally x, struct receiver *b, struct tally y)
{
    return a->out.length == b->out.length && !memcmp(a->out.at, b->out.at, a->out.length) &&
           !memcmp(&x, &y, sizeof x);
}

int main(void)
{
    struct receiver whole, other;
    length = fread(said, 1, sizeof said, stdin);
    struct tally expected = converse(&whole, length, 0);
    for (size_t cut = 0; cut <= length; cut++) {
        struct tally tally = converse(&other, cut, cut == length);
        if (!same(&whole, expected, &other, tally)) {
            fprintf(stderr, "cut at %zu:\n%.*s", cut, (int)other.out.length, other.out.at);
            return 1;
        }
        receiver_end(&other);
    }
    fwrite(whole.out.at, 1, whole.out.length, stdout);
    printf("%llu messages, %llu recipients, %llu octets\n", (unsigned long long)expected.messages,
           (unsigned long long)expected.recipients, (unsigned long long)expected.bytes);
    receiver_end(&whole);
    return 0;
}
