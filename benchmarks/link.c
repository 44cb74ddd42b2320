/* A line with delay: two network namespaces, a TUN device in each, and this program between them.
 *
 * Packets are kept for a while and then handed on, in order; none is dropped, and the bandwidth is
 * what this program can copy. TCP is the system's own, with its windows and its slow start. The
 * devices take segments of 64 KiB that are cut to 1500 octets only on paper, as network cards do.
 *
 * It prints the namespaces as a line of JSON. Each line on standard input is the new delay of one
 * direction in microseconds, and is answered by a line. It ends when standard input is closed, and
 * nothing of it is left. Needs the rights to make a namespace and /dev/net/tun.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PACKET = sizeof(struct virtio_net_hdr) + 65536 + 64, BATCH = 64 };

#define CLIENT "10.77.0.1"
#define SERVER "10.77.0.2"

struct packet {
    struct packet *next;
    uint64_t due;
    size_t length;
    char data[];
};

/* One direction: what came out of `from` and goes into `to`, oldest first. */
struct lane {
    int from, to;
    struct packet *first, **last;
};

static uint64_t delay;

static void fail(const char *what)
{
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void raise_device(int handle, const char *name)
{
    struct ifreq request = {0};
    strcpy(request.ifr_name, name);
    if (ioctl(handle, SIOCGIFFLAGS, &request))
        fail("SIOCGIFFLAGS");
    request.ifr_flags |= IFF_UP;
    if (ioctl(handle, SIOCSIFFLAGS, &request))
        fail("SIOCSIFFLAGS");
}

static void give_address(int handle, unsigned long what, const char *address)
{
    struct ifreq request = {0};
    struct sockaddr_in *place = (struct sockaddr_in *)&request.ifr_addr;
    strcpy(request.ifr_name, "line");
    place->sin_family = AF_INET;
    inet_pton(AF_INET, address, &place->sin_addr);
    if (ioctl(handle, what, &request))
        fail(address);
}

static int open_device(const char *own, const char *other)
{
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0)
        fail("/dev/net/tun");
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    strcpy(request.ifr_name, "line");
    if (ioctl(device, TUNSETIFF, &request) || ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
        fail("TUN device");
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_qlen = 10000;
    if (ioctl(handle, SIOCSIFTXQLEN, &request))
        fail("SIOCSIFTXQLEN");
    give_address(handle, SIOCSIFADDR, own);
    give_address(handle, SIOCSIFDSTADDR, other);
    raise_device(handle, "line");
    raise_device(handle, "lo");
    close(handle);
    return device;
}

/* Make a namespace with one end of the line in it. Gives the descriptor that keeps it. */
static int open_end(int *device, const char *own, const char *other)
{
    if (unshare(CLONE_NEWNET))
        fail("a network namespace");
    *device = open_device(own, other);
    int space = open("/proc/self/ns/net", O_RDONLY);
    if (space < 0)
        fail("/proc/self/ns/net");
    return space;
}

static void collect(struct lane *lane)
{
    static char buffer[PACKET];
    for (int i = 0; i < BATCH; i++) {
        ssize_t n = read(lane->from, buffer, sizeof buffer);
        if (n <= 0)
            return;
        struct packet *packet = malloc(sizeof *packet + (size_t)n);
        if (!packet)
            abort();
        packet->next = NULL;
        packet->due = now() + delay;
        packet->length = (size_t)n;
        memcpy(packet->data, buffer, (size_t)n);
        *lane->last = packet;
        lane->last = &packet->next;
    }
}

static void hand_on(struct lane *lane, uint64_t time)
{
    while (lane->first && lane->first->due <= time) {
        struct packet *packet = lane->first;
        if (write(lane->to, packet->data, packet->length) < 0 && errno == EAGAIN)
            return;
        lane->first = packet->next;
        if (!lane->first)
            lane->last = &lane->first;
        free(packet);
    }
}

static bool take_delay(void)
{
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n <= 0)
        return false;
    line[n] = 0;
    delay = strtoull(line, NULL, 10) * 1000;
    printf("%llu\n", (unsigned long long)delay / 1000);
    fflush(stdout);
    return true;
}

static void run(struct lane lanes[2])
{
    struct pollfd polled[] = {{.fd = lanes[0].from, .events = POLLIN},
                              {.fd = lanes[1].from, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        uint64_t time = now(), next = UINT64_MAX;
        for (int i = 0; i < 2; i++) {
            hand_on(&lanes[i], time);
            if (lanes[i].first && lanes[i].first->due < next)
                next = lanes[i].first->due;
        }
        uint64_t wait = next > time ? next - time : 0;
        struct timespec timeout = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};
        if (ppoll(polled, 3, next == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
            fail("ppoll");
        for (int i = 0; i < 2; i++)
            if (polled[i].revents)
                collect(&lanes[i]);
        if (polled[2].revents && !take_delay())
            return;
    }
}

int main(void)
{
    int client, server;
    /* The system rounds waits up to 50 microseconds otherwise. */
    prctl(PR_SET_TIMERSLACK, 1);
    int client_space = open_end(&client, CLIENT, SERVER);
    int server_space = open_end(&server, SERVER, CLIENT);
    printf("{\"client\": \"/proc/%d/fd/%d\", \"server\": \"/proc/%d/fd/%d\", \"host\": \"%s\"}\n",
           getpid(), client_space, getpid(), server_space, SERVER);
    fflush(stdout);
    struct lane lanes[] = {{.from = client, .to = server}, {.from = server, .to = client}};
    lanes[0].last = &lanes[0].first;
    lanes[1].last = &lanes[1].first;
    run(lanes);
    return 0;
}
