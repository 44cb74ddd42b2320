/* A discarding SMTP server: one thread, one epoll, many connections.
 *
 * It exists to be faster than any client, so that a comparison measures the clients. All that one
 * read brings is answered by one write. It prints its ports as a line of JSON, then the tally for
 * each line on standard input, and ends when that is closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "receiver.h"

enum { BUFFER = 256 * 1024, TURN = 1024 * 1024, EVENTS = 64 };

struct connection {
    int fd;
    SSL *tls;
    bool is_shaking_hands;
    /* Replies that the client does not take yet; until it does, nothing more is read. */
    size_t written;
    /* TLS has taken bytes off the socket that epoll cannot see any more. */
    bool has_more;
    /* In `unfinished`, which is attended to after those that epoll names. */
    bool is_listed;
    struct connection *next;
    struct receiver receiver;
};

struct listener {
    int fd;
    bool is_implicit;
};

static struct rules rules = {.pipelining = true, .chunking = true};
static struct tally tally;
static SSL_CTX *context;
static int poller;
static struct connection *unfinished;
static char buffer[BUFFER];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int how, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    if (epoll_ctl(poller, how, fd, &event))
        fail("epoll_ctl");
}

static void drop(struct connection *c)
{
    if (c->is_listed) {
        struct connection **at = &unfinished;
        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
    }
    if (c->tls) {
        if (!c->is_shaking_hands)
            SSL_shutdown(c->tls);
        ERR_clear_error();
        SSL_free(c->tls);
    }
    close(c->fd);
    receiver_end(&c->receiver);
    free(c);
}

enum { AGAIN = -1, GONE = -2 };

static int tls_outcome(struct connection *c, int result)
{
    int error = SSL_get_error(c->tls, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? AGAIN : GONE;
}

static ssize_t receive(struct connection *c, char *into, size_t room)
{
    if (c->tls) {
        int n = SSL_read(c->tls, into, (int)room);
        return n > 0 ? n : tls_outcome(c, n);
    }
    ssize_t n = recv(c->fd, into, room, 0);
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? AGAIN : GONE;
}

static ssize_t transmit(struct connection *c, const char *from, size_t length)
{
    if (c->tls) {
        int n = SSL_write(c->tls, from, (int)length);
        return n > 0 ? n : tls_outcome(c, n);
    }
    ssize_t n = send(c->fd, from, length, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR ? AGAIN : GONE;
}

/* Write the replies. Gives AGAIN while the client does not take them, GONE when it is over. */
static int flush(struct connection *c)
{
    struct bytes *out = &c->receiver.out;
    while (c->written < out->length) {
        ssize_t n = transmit(c, out->at + c->written, out->length - c->written);
        if (n == GONE)
            return GONE;
        if (n == AGAIN) {
            watch(EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
            return AGAIN;
        }
        c->written += (size_t)n;
    }
    c->written = out->length = 0;
    return c->receiver.wants_close ? GONE : 0;
}

static void begin_tls(struct connection *c)
{
    c->tls = SSL_new(context);
    if (!c->tls || !SSL_set_fd(c->tls, c->fd))
        exit(1);
    SSL_set_accept_state(c->tls);
    c->is_shaking_hands = true;
}

static int shake_hands(struct connection *c)
{
    int result = SSL_accept(c->tls);
    if (result != 1)
        return tls_outcome(c, result);
    c->is_shaking_hands = false;
    if (c->receiver.wants_tls)
        receiver_secured(&c->receiver);
    else {
        c->receiver.secure = true;
        receiver_greet(&c->receiver);
    }
    return flush(c);
}

static int after_starttls(struct connection *c, bool is_all_used)
{
    /* RFC 3207: what came behind the command in clear text must not count. */
    if (!is_all_used)
        return GONE;
    begin_tls(c);
    return 0;
}

/* Read and answer until nothing is left or the others had to wait long enough. */
static int serve(struct connection *c)
{
    struct receiver *r = &c->receiver;
    c->has_more = false;
    for (size_t turn = 0; turn < TURN;) {
        size_t length = 0;
        ssize_t n = 0;
        /* TLS gives one record at a time; a few of them are answered together. */
        while (length < BUFFER && (n = receive(c, buffer + length, BUFFER - length)) > 0) {
            length += (size_t)n;
            if (!c->tls)
                break;
        }
        if (length) {
            bool is_all_used = receiver_take(r, buffer, length) == length;
            int outcome = flush(c);
            if (outcome)
                return outcome;
            if (r->wants_tls)
                return after_starttls(c, is_all_used);
        }
        if (n == GONE)
            return GONE;
        if (n == AGAIN || (!c->tls && length < BUFFER))
            return 0;
        turn += length;
    }
    c->has_more = c->tls != NULL;
    return 0;
}

static void attend(struct connection *c)
{
    int outcome = 0;
    if (c->written < c->receiver.out.length || c->receiver.wants_close) {
        outcome = flush(c);
        if (!outcome) {
            watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
            if (c->receiver.wants_tls)
                outcome = after_starttls(c, true);
        }
    }
    if (!outcome && c->is_shaking_hands)
        outcome = shake_hands(c);
    if (!outcome && !c->is_shaking_hands)
        outcome = serve(c);
    if (outcome == GONE) {
        drop(c);
        return;
    }
    if (c->has_more && !c->is_listed) {
        c->is_listed = true;
        c->next = unfinished;
        unfinished = c;
    }
}

static void attend_unfinished(void)
{
    struct connection *rest = unfinished;
    unfinished = NULL;
    while (rest) {
        struct connection *c = rest;
        rest = c->next;
        c->is_listed = false;
        attend(c);
    }
}

static void welcome(const struct listener *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->fd = fd;
    receiver_start(&c->receiver, &rules, &tally);
    tally.connections++;
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, c);
    if (listener->is_implicit)
        begin_tls(c);
    else
        receiver_greet(&c->receiver);
    attend(c);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Answer a line on standard input with the tally; false when it was closed. */
static bool report(void)
{
    char line[64];
    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        return false;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"messages\": %llu, \"recipients\": %llu, \"bytes\": %llu, \"refusals\": %llu, "
           "\"connections\": %llu, \"cpu\": %.6f}\n",
           (unsigned long long)tally.messages, (unsigned long long)tally.recipients,
           (unsigned long long)tally.bytes, (unsigned long long)tally.refusals,
           (unsigned long long)tally.connections, seconds(usage.ru_utime) + seconds(usage.ru_stime));
    fflush(stdout);
    return true;
}

static int listen_on(const char *host, struct listener *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "sink: --host: %s is no IPv4 address\n", host);
        exit(2);
    }
    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&address, length) ||
        listen(listener->fd, 512) || getsockname(listener->fd, (struct sockaddr *)&address, &length))
        fail("sink: listen");
    watch(EPOLL_CTL_ADD, listener->fd, EPOLLIN, listener);
    return ntohs(address.sin_port);
}

static void prepare_tls(const char *pem)
{
    context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate_chain_file(context, pem) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* One system call reads many records. */
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, BUFFER);
    SSL_CTX_set_num_tickets(context, 0);
}

static void run(const struct listener listeners[2])
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, unfinished ? 0 : -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            void *what = events[i].data.ptr;
            if (what == &rules) {
                if (!report())
                    return;
            } else if (what == &listeners[0] || what == &listeners[1])
                welcome(what);
            else
                attend(what);
        }
        attend_unfinished();
    }
}

static const struct option options[] = {
    {"host", required_argument, NULL, 'h'},      {"cert", required_argument, NULL, 'c'},
    {"size", required_argument, NULL, 's'},      {"refuse", required_argument, NULL, 'r'},
    {"no-chunking", no_argument, NULL, 'C'},     {"no-pipelining", no_argument, NULL, 'P'},
    {"ids", no_argument, NULL, 'i'},             {0},
};

int main(int count, char **arguments)
{
    const char *host = "127.0.0.1", *pem = NULL;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'h': host = optarg; break;
        case 'c': pem = optarg; break;
        case 's': rules.size_limit = strtoull(optarg, NULL, 10); break;
        case 'r': rules.refused = optarg; break;
        case 'C': rules.chunking = false; break;
        case 'P': rules.pipelining = false; break;
        case 'i': rules.ids = true; break;
        default: return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    static struct listener listeners[2] = {{.is_implicit = false}, {.is_implicit = true}};
    int port = listen_on(host, &listeners[0]), tls_port = 0;
    if (pem) {
        prepare_tls(pem);
        rules.starttls = true;
        tls_port = listen_on(host, &listeners[1]);
    }
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, &rules);
    printf("{\"port\": %d, \"tls_port\": %d}\n", port, tls_port);
    fflush(stdout);
    run(listeners);
    return 0;
}
