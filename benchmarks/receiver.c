/* What a server says to each command. One pass over the bytes, no copy but of a line that was cut. */
#define _GNU_SOURCE
#include "receiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void say(struct receiver *r, const char *text, size_t length)
{
    struct bytes *out = &r->out;
    if (out->room - out->length < length) {
        out->room = 2 * (out->length + length) + 4096;
        out->at = realloc(out->at, out->room);
        if (!out->at)
            abort();
    }
    memcpy(out->at + out->length, text, length);
    out->length += length;
}

#define SAY(r, text) say(r, text "\r\n", sizeof(text "\r\n") - 1)
#define REFUSE(r, text) ((r)->tally->refusals++, SAY(r, text))

static void forget_transaction(struct receiver *r)
{
    r->has_sender = r->has_chunks = false;
    r->recipients = 0;
    r->size = 0;
}

void receiver_start(struct receiver *r, const struct rules *rules, struct tally *tally)
{
    memset(r, 0, sizeof *r);
    r->rules = rules;
    r->tally = tally;
}

void receiver_greet(struct receiver *r)
{
    SAY(r, "220 sink.example ESMTP");
}

void receiver_secured(struct receiver *r)
{
    forget_transaction(r);
    r->secure = true;
    r->has_greeted = r->wants_tls = false;
}

void receiver_end(struct receiver *r)
{
    free(r->out.at);
}

static void answer_ehlo(struct receiver *r)
{
    const struct rules *rules = r->rules;
    forget_transaction(r);
    r->has_greeted = true;
    SAY(r, "250-sink.example");
    if (rules->pipelining)
        SAY(r, "250-PIPELINING");
    if (rules->chunking)
        SAY(r, "250-CHUNKING");
    if (rules->starttls && !r->secure)
        SAY(r, "250-STARTTLS");
    char line[40];
    if (rules->size_limit)
        say(r, line, (size_t)sprintf(line, "250-SIZE %llu\r\n", (unsigned long long)rules->size_limit));
    else
        SAY(r, "250-SIZE");
    SAY(r, "250-8BITMIME");
    SAY(r, "250-SMTPUTF8");
    SAY(r, "250 ENHANCEDSTATUSCODES");
}

static bool begins(const char *line, size_t length, const char *word)
{
    size_t n = strlen(word);
    return length >= n && strncasecmp(line, word, n) == 0;
}

static const char *path_after(const char *words, const char *line, size_t length)
{
    return begins(line, length, words) ? line + strlen(words) : NULL;
}

/* Give the end of <path> without its bracket, or NULL; quotes may hide a bracket. */
static const char *end_of_path(const char *at, const char *end)
{
    for (bool quoted = false; at < end; at++) {
        if (*at == '\\' && quoted)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (*at == '>' && !quoted)
            return at;
    }
    return NULL;
}

static bool is_refused(const struct receiver *r, const char *path, const char *end)
{
    return r->rules->refused && begins(path, (size_t)(end - path), r->rules->refused);
}

/* Find SIZE=n among the parameters; 0 without one. */
static uint64_t declared_size(const char *at, const char *end)
{
    while ((at = memchr(at, ' ', (size_t)(end - at)))) {
        at++;
        if (begins(at, (size_t)(end - at), "SIZE="))
            return strtoull(at + 5, NULL, 10);
    }
    return 0;
}

static void answer_mail(struct receiver *r, const char *line, size_t length)
{
    const char *end = line + length, *path = path_after("MAIL FROM:<", line, length);
    const char *closing = path ? end_of_path(path, end) : NULL;
    if (!closing)
        REFUSE(r, "501 5.5.4 Syntax: MAIL FROM:<address>");
    else if (!r->has_greeted)
        REFUSE(r, "503 5.5.1 EHLO first");
    else if (r->has_sender)
        REFUSE(r, "503 5.5.1 Sender already given");
    else if (is_refused(r, path, closing))
        REFUSE(r, "550 5.1.8 Sender refused");
    else if (r->rules->size_limit && declared_size(closing, end) > r->rules->size_limit)
        REFUSE(r, "552 5.3.4 Too large");
    else {
        r->has_sender = true;
        SAY(r, "250 2.1.0 Ok");
    }
}

static void answer_rcpt(struct receiver *r, const char *line, size_t length)
{
    const char *end = line + length, *path = path_after("RCPT TO:<", line, length);
    const char *closing = path ? end_of_path(path, end) : NULL;
    if (!closing)
        REFUSE(r, "501 5.5.4 Syntax: RCPT TO:<address>");
    else if (!r->has_sender || r->has_chunks)
        REFUSE(r, "503 5.5.1 MAIL first");
    else if (is_refused(r, path, closing))
        REFUSE(r, "550 5.1.1 No such user");
    else {
        r->recipients++;
        SAY(r, "250 2.1.5 Ok");
    }
}

static void accept_message(struct receiver *r)
{
    struct tally *tally = r->tally;
    bool too_large = r->rules->size_limit && r->size > r->rules->size_limit;
    if (too_large)
        REFUSE(r, "552 5.3.4 Too large");
    else {
        tally->messages++;
        tally->recipients += r->recipients;
        tally->bytes += r->size;
        if (r->rules->ids) {
            char line[64];
            int n = sprintf(line, "250 2.0.0 Ok: queued as %012llX\r\n",
                            (unsigned long long)tally->messages);
            say(r, line, (size_t)n);
        } else
            SAY(r, "250 2.0.0 Ok");
    }
    forget_transaction(r);
}

static void answer_data(struct receiver *r)
{
    if (r->has_chunks)
        REFUSE(r, "503 5.5.1 BDAT was begun");
    else if (!r->recipients)
        REFUSE(r, "554 5.5.1 No valid recipients");
    else {
        SAY(r, "354 Go on");
        r->state = CONTENT;
        r->matched = 2; /* the CRLF of the command */
    }
}

static void end_chunk(struct receiver *r)
{
    r->state = COMMAND;
    if (!r->is_taken)
        REFUSE(r, "503 5.5.1 No valid recipients");
    else if (r->is_last)
        accept_message(r);
    else
        SAY(r, "250 2.0.0 Ok");
}

/* BDAT <size> [LAST]. RFC 3030: the octets follow at once, wanted or not. */
static void answer_bdat(struct receiver *r, const char *line, size_t length)
{
    const char *end = line + length, *at = length > 5 ? line + 5 : end;
    uint64_t size = 0;
    bool is_number = at < end && *at >= '0' && *at <= '9';
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (size > (UINT64_MAX >> 4))
            is_number = false;
        size = size * 10 + (uint64_t)(*at - '0');
    }
    bool is_last = end - at == 5 && strncasecmp(at, " LAST", 5) == 0;
    if (!is_number || (at != end && !is_last)) {
        /* Where the next command begins is anyone's guess. */
        REFUSE(r, "501 5.5.4 Syntax: BDAT size [LAST]");
        r->wants_close = true;
        return;
    }
    r->is_last = is_last;
    r->is_taken = r->recipients > 0;
    r->has_chunks |= r->is_taken;
    r->left = size;
    r->state = CHUNK;
    if (r->is_taken)
        r->size += size;
    if (!size)
        end_chunk(r);
}

#define VERB(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static void answer(struct receiver *r, const char *line, size_t length)
{
    unsigned char head[4] = {0};
    memcpy(head, line, length < 4 ? length : 4);
    bool is_starttls = length == 8 && begins(line, length, "STARTTLS");
    bool is_word = length <= 4 || line[4] == ' ' || is_starttls;
    uint32_t verb = VERB(head[0] | 32, head[1] | 32, head[2] | 32, head[3] | 32);
    switch (is_word ? verb : 0) {
    case VERB('m', 'a', 'i', 'l'):
        answer_mail(r, line, length);
        return;
    case VERB('r', 'c', 'p', 't'):
        answer_rcpt(r, line, length);
        return;
    case VERB('b', 'd', 'a', 't'):
        if (!r->rules->chunking)
            break;
        answer_bdat(r, line, length);
        return;
    case VERB('d', 'a', 't', 'a'):
        answer_data(r);
        return;
    case VERB('r', 's', 'e', 't'):
        forget_transaction(r);
        SAY(r, "250 2.0.0 Ok");
        return;
    case VERB('n', 'o', 'o', 'p'):
        SAY(r, "250 2.0.0 Ok");
        return;
    case VERB('e', 'h', 'l', 'o'):
        answer_ehlo(r);
        return;
    case VERB('h', 'e', 'l', 'o'):
        forget_transaction(r);
        r->has_greeted = true;
        SAY(r, "250 sink.example");
        return;
    case VERB('q', 'u', 'i', 't'):
        SAY(r, "221 2.0.0 Bye");
        r->wants_close = true;
        return;
    case VERB('s', 't', 'a', 'r'):
        if (!is_starttls || !r->rules->starttls || r->secure)
            break;
        SAY(r, "220 2.0.0 Go on");
        r->wants_tls = true;
        return;
    }
    REFUSE(r, "500 5.5.2 Command unknown");
}

/* Keep the start of a line whose end has not arrived. */
static void keep(struct receiver *r, const char *at, size_t length)
{
    if (r->line_length + length > LINE_LIMIT) {
        r->is_too_long = true;
        r->line_length = 0;
    } else if (!r->is_too_long) {
        memcpy(r->line + r->line_length, at, length);
        r->line_length += length;
    }
}

static const char *take_command(struct receiver *r, const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    if (!newline) {
        /* The last octet of a kept line may be the CR of its end. */
        keep(r, at, (size_t)(end - at));
        return end;
    }
    const char *line = at, *next = newline + 1;
    size_t length = (size_t)(newline - at);
    if (r->line_length || r->is_too_long) {
        keep(r, at, length);
        line = r->line;
        length = r->line_length;
    }
    if (length && line[length - 1] == '\r')
        length--;
    bool is_too_long = r->is_too_long || length >= LINE_LIMIT;
    r->is_too_long = false;
    r->line_length = 0;
    if (is_too_long)
        REFUSE(r, "500 5.5.2 Line too long");
    else
        answer(r, line, length);
    return next;
}

static const char *take_content(struct receiver *r, const char *at, const char *end)
{
    static const char mark[] = "\r\n.\r\n";
    const char *start = at;
    uint64_t dots = 0;
    while (at < end) {
        if (!r->matched) {
            at = memchr(at, '\r', (size_t)(end - at));
            if (!at) {
                at = end;
                break;
            }
            at++;
            r->matched = 1;
            continue;
        }
        char c = *at++;
        if (c != mark[r->matched]) {
            /* A line that began with a dot had it doubled. */
            dots += r->matched >= 3;
            r->matched = c == '\r';
        } else if (++r->matched == 5) {
            r->size += (uint64_t)(at - start) - dots - 3;
            r->state = COMMAND;
            accept_message(r);
            return at;
        }
    }
    /* The dot of an end mark that was cut may already be counted: unsigned sums come right. */
    r->size += (uint64_t)(at - start) - dots;
    return at;
}

static const char *take_chunk(struct receiver *r, const char *at, const char *end)
{
    uint64_t length = (uint64_t)(end - at);
    if (length > r->left)
        length = r->left;
    r->left -= length;
    if (!r->left)
        end_chunk(r);
    return at + length;
}

size_t receiver_take(struct receiver *r, const char *data, size_t length)
{
    const char *at = data, *end = data + length;
    while (at < end && !r->wants_close && !r->wants_tls) {
        switch (r->state) {
        case COMMAND:
            at = take_command(r, at, end);
            break;
        case CONTENT:
            at = take_content(r, at, end);
            break;
        case CHUNK:
            at = take_chunk(r, at, end);
            break;
        }
    }
    return (size_t)(at - data);
}
