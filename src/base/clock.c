#include "config.h"

#include "base/clock.h"

#include <stdio.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_boottime_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

void clock_format_iso8601(const struct timespec *when, char buf[CLOCK_ISO8601_SIZE])
{
    struct tm utc;
    gmtime_r(&when->tv_sec, &utc);
    size_t used = strftime(buf, CLOCK_ISO8601_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(buf + used, CLOCK_ISO8601_SIZE - used, ".%03dZ",
             (int)(when->tv_nsec / 1000000 % 1000));
}
