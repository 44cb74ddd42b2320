/* The SMTP half of the sink: bytes in, replies out, nothing kept of a message but its size. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 5321 4.5.3.1.4 asks for 512; parameters and SMTPUTF8 add to it. */
#define LINE_LIMIT 4096

struct rules {
    bool pipelining;
    bool chunking;
    bool starttls;
    /* Each accepted message gets a number of its own in the reply, as a queue's id would be. */
    bool ids;
    /* RFC 1870; 0 means that no limit is announced. */
    uint64_t size_limit;
    /* Addresses that begin so are refused; NULL refuses none. */
    const char *refused;
};

struct tally {
    uint64_t messages;
    uint64_t recipients;
    /* The octets of the content, dots removed, without the end mark. */
    uint64_t bytes;
    /* Replies of 4xx and 5xx. */
    uint64_t refusals;
    uint64_t connections;
};

struct bytes {
    char *at;
    size_t length, room;
};

enum state { COMMAND, CONTENT, CHUNK };

struct receiver {
    const struct rules *rules;
    struct tally *tally;
    struct bytes out;
    enum state state;
    bool secure;
    /* What the caller has to do once `out` is written. */
    bool wants_tls, wants_close;

    bool has_greeted, has_sender;
    unsigned recipients;
    uint64_t size;

    /* CONTENT: how many octets of CRLF . CRLF have matched. */
    unsigned matched;
    /* CHUNK: what is left of it, and what becomes of it. */
    uint64_t left;
    bool is_last, is_taken;
    bool has_chunks;

    bool is_too_long;
    size_t line_length;
    char line[LINE_LIMIT];
};

void receiver_start(struct receiver *, const struct rules *, struct tally *);
void receiver_greet(struct receiver *);
/* After STARTTLS nothing that was said before counts. RFC 3207, section 4.2. */
void receiver_secured(struct receiver *);
/* Take what arrived, cut anywhere. Gives what was used: less than `length` after STARTTLS or QUIT. */
size_t receiver_take(struct receiver *, const char *data, size_t length);
void receiver_end(struct receiver *);

#endif
