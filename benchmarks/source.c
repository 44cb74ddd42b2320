/* How fast can C send? The bound against which the clients are measured: no checks but those of the
 * reply codes, one message again and again.
 *
 * Two ways of grouping. `bdat`: whole transactions back to back, RSET, MAIL, RCPT and BDAT with the
 * content behind it, a window of them in flight. RFC 3030. `data`: what RFC 2920 allows with DATA,
 * the content of a message and the next MAIL, RCPT and DATA in one write.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, REPLIES = 64 * 1024 };

#define MAIL "MAIL FROM:<sender@sender.example>\r\nRCPT TO:<reader@reader.example>\r\n"

static const char *host = "127.0.0.1";
static int port;
static bool is_tls, is_bdat = true;
static long count = 100000, window = 1024, size = 1024, connections = 1;

/* What is sent: `first` once, then `each` for every message, `last` in the last one's place. */
static char *first, *each, *last;
static size_t first_length, each_length, last_length;
static int replies_each;

struct link {
    int fd;
    SSL *tls;
    long messages;
    pthread_t thread;
    /* Where in a line of a reply the last read ended, and whether that is the reply's last line. */
    size_t column;
    bool is_last_line;
};

static void fail(const char *what)
{
    fprintf(stderr, "source: %s\n", what);
    exit(1);
}

static char *content(void)
{
    char *text = malloc((size_t)size + 1);
    const char *head = "From: sender@sender.example\r\nTo: reader@reader.example\r\nSubject: Hello\r\n\r\n";
    size_t length = strlen(head);
    memcpy(text, head, length < (size_t)size ? length : (size_t)size);
    for (size_t at = length; at < (size_t)size; at++)
        text[at] = (at - length) % 72 == 70 ? '\r' : (at - length) % 72 == 71 ? '\n' : 'x';
    memcpy(text + size - 2, "\r\n", 3);
    return text;
}

static void prepare(void)
{
    char *body = content();
    int n;
    if (is_bdat) {
        /* The first RSET is one too many, and harmless. */
        n = asprintf(&each, "RSET\r\n" MAIL "BDAT %ld LAST\r\n%s", size, body);
        first = last = each;
        first_length = 0;
        replies_each = 4;
        each_length = last_length = (size_t)n;
    } else {
        n = asprintf(&first, MAIL "DATA\r\n");
        first_length = (size_t)n;
        n = asprintf(&each, "%s.\r\n" MAIL "DATA\r\n", body);
        each_length = (size_t)n;
        n = asprintf(&last, "%s.\r\n", body);
        last_length = (size_t)n;
        replies_each = 4;
    }
    free(body);
}

static void await(const struct link *link, short events)
{
    struct pollfd descriptor = {.fd = link->fd, .events = events};
    if (poll(&descriptor, 1, 10000) <= 0)
        fail("nothing for 10 seconds");
}

/* 0 is nothing now. */
static size_t some(struct link *link, char *into, size_t room, bool is_read)
{
    if (link->tls) {
        int n = is_read ? SSL_read(link->tls, into, (int)room) : SSL_write(link->tls, into, (int)room);
        if (n > 0)
            return (size_t)n;
        int error = SSL_get_error(link->tls, n);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
            return 0;
    } else {
        ssize_t n = is_read ? recv(link->fd, into, room, 0) : send(link->fd, into, room, MSG_NOSIGNAL);
        if (n > 0)
            return (size_t)n;
        if (n < 0 && errno == EAGAIN)
            return 0;
    }
    fail("the connection is lost");
    return 0;
}

/* Count the replies that arrived, and refuse any that is no 2xx or 3xx. */
static long take_replies(struct link *link)
{
    static __thread char buffer[REPLIES];
    size_t n = some(link, buffer, sizeof buffer, true);
    long replies = 0;
    for (const char *at = buffer, *end = buffer + n; at < end;) {
        if (!link->column && *at != '2' && *at != '3')
            fail("refused");
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((newline ? newline : end) - at);
        if (link->column <= 3 && link->column + length > 3)
            link->is_last_line = at[3 - link->column] != '-';
        replies += newline && link->is_last_line;
        link->column = newline ? 0 : link->column + length;
        at = newline ? newline + 1 : end;
    }
    return replies;
}

/* Write, and read `replies` of them, waiting as long as it takes. */
static void ask(struct link *link, const char *command, size_t length, long replies)
{
    for (size_t n; length; command += n, length -= n)
        if (!(n = some(link, (char *)command, length, false)))
            await(link, POLLOUT);
    while (replies > 0) {
        long n = take_replies(link);
        if (!n)
            await(link, POLLIN);
        replies -= n;
    }
}

static void open_link(struct link *link)
{
    static SSL_CTX *context;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    inet_pton(AF_INET, host, &address.sin_addr);
    link->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address))
        fail(strerror(errno));
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (is_tls) {
        if (!context && !(context = SSL_CTX_new(TLS_client_method())))
            fail("no TLS");
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        link->tls = SSL_new(context);
        SSL_set_fd(link->tls, link->fd);
        if (SSL_connect(link->tls) != 1)
            fail("TLS failed");
    }
    fcntl(link->fd, F_SETFL, O_NONBLOCK);
    ask(link, "", 0, 1);
    ask(link, "EHLO source.example\r\n", 21, 1);
}

/* Fill a buffer with as many transactions as may be in flight, write, read, and so on. */
static void send_back_to_back(struct link *link)
{
    long room = CHUNK / (long)each_length + 1, sent = 0, replies = 0, done = 0;
    char *buffer = malloc((size_t)room * each_length), *at = buffer, *end = buffer;
    for (long i = 0; i < room; i++)
        memcpy(buffer + (size_t)i * each_length, each, each_length);
    while (done < link->messages) {
        if (at == end) {
            long more = link->messages - sent, free_places = window - (sent - done);
            more = more < free_places ? more : free_places;
            more = more < room ? more : room;
            at = buffer;
            end = buffer + (size_t)more * each_length;
            sent += more;
        }
        /* Replies are read when nothing more can be written, or when the window is used up. */
        size_t written = at < end ? some(link, at, (size_t)(end - at), false) : 0;
        at += written;
        long got = written ? 0 : take_replies(link);
        replies += got;
        done = replies / replies_each;
        if (!written && !got)
            await(link, (short)(POLLIN | (at < end ? POLLOUT : 0)));
    }
    free(buffer);
}

static void send_grouped(struct link *link)
{
    ask(link, first, first_length, 3);
    for (long i = 1; i < link->messages; i++)
        ask(link, each, each_length, 4);
    ask(link, last, last_length, 1);
}

static void *send_all(void *argument)
{
    if (is_bdat)
        send_back_to_back(argument);
    else
        send_grouped(argument);
    return NULL;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static const struct option options[] = {
    {"host", required_argument, NULL, 'h'},  {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'n'}, {"window", required_argument, NULL, 'w'},
    {"size", required_argument, NULL, 's'},  {"connections", required_argument, NULL, 'c'},
    {"tls", no_argument, NULL, 't'},         {"data", no_argument, NULL, 'd'},
    {0},
};

int main(int argument_count, char **arguments)
{
    for (int option; (option = getopt_long(argument_count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 'h': host = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'n': count = atol(optarg); break;
        case 'w': window = atol(optarg); break;
        case 's': size = atol(optarg); break;
        case 'c': connections = atol(optarg); break;
        case 't': is_tls = true; break;
        case 'd': is_bdat = false; break;
        default: return 2;
        }
    }
    if (count < 1 || window < 1 || connections < 1 || size < 100)
        fail("--count, --window and --connections are at least 1, --size is at least 100");
    prepare();
    struct link *links = calloc((size_t)connections, sizeof *links);
    for (long i = 0; i < connections; i++) {
        links[i].messages = count / connections + (i < count % connections);
        open_link(&links[i]);
    }
    double start = now(), start_cpu = cpu();
    for (long i = 0; i < connections; i++)
        if (links[i].messages)
            pthread_create(&links[i].thread, NULL, send_all, &links[i]);
    for (long i = 0; i < connections; i++)
        if (links[i].messages)
            pthread_join(links[i].thread, NULL);
    printf("{\"messages\": %ld, \"seconds\": %.9f, \"cpu\": %.9f}\n", count, now() - start,
           cpu() - start_cpu);
    return 0;
}
