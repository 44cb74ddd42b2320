/* A wall clock that a file moves: the seconds in it, a long long, are added to what it shows.

   libfaketime does as much and more: it stands between a program and its waiting too, and with a
   monotonic clock that is left alone clock_nanosleep fails there and epoll_wait may never return. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int (*real)(clockid_t, struct timespec *);
static int file = -1;

__attribute__((constructor)) static void begin(void) {
    real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    file = open(getenv("SMTPS_TEST_CLOCK"), O_RDONLY | O_CLOEXEC);
}

int clock_gettime(clockid_t clock, struct timespec *shown) {
    long long seconds = 0;
    int failed = real(clock, shown);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        if (pread(file, &seconds, sizeof seconds, 0) == sizeof seconds) shown->tv_sec += seconds;
    return failed;
}

int gettimeofday(struct timeval *restrict shown, void *restrict zone) {
    struct timespec now;
    (void) zone;
    clock_gettime(CLOCK_REALTIME, &now);
    shown->tv_sec = now.tv_sec;
    shown->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *shown) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (shown) *shown = now.tv_sec;
    return now.tv_sec;
}
