/* Preloaded into a process (LD_PRELOAD), it sets its wall clock ahead or back by the seconds that
 * stand in the file CLOCK_OFFSET. What counts time that has passed (CLOCK_MONOTONIC) is untouched,
 * as where an administrator sets the clock. libfaketime 0.9.10 breaks clock_nanosleep(2). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
        return status;
    const char *path = getenv("CLOCK_OFFSET");
    FILE *file = path ? fopen(path, "r") : NULL;
    long offset = 0;
    if (file) {
        if (fscanf(file, "%ld", &offset) == 1)
            now->tv_sec += offset;
        fclose(file);
    }
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result)
        *result = now.tv_sec;
    return now.tv_sec;
}
