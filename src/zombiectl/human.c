#include "config.h"

#include "zombiectl/human.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static void write_units(int64_t large, char large_unit, int64_t small, char small_unit, char *buf)
{
    if (small == 0)
        (void)snprintf(buf, HUMAN_SIZE, "%" PRId64 "%c", large, large_unit);
    else
        (void)snprintf(buf, HUMAN_SIZE, "%" PRId64 "%c%" PRId64 "%c", large, large_unit, small,
                       small_unit);
}

void human_duration(int64_t ms, char buf[HUMAN_SIZE])
{
    if (ms < SECOND)
        (void)snprintf(buf, HUMAN_SIZE, "%" PRId64 "ms", ms < 0 ? 0 : ms);
    else if (ms < MINUTE)
        write_units(ms / SECOND, 's', 0, 0, buf);
    else if (ms < HOUR)
        write_units(ms / MINUTE, 'm', ms % MINUTE / SECOND, 's', buf);
    else if (ms < DAY)
        write_units(ms / HOUR, 'h', ms % HOUR / MINUTE, 'm', buf);
    else
        write_units(ms / DAY, 'd', ms % DAY / HOUR, 'h', buf);
}

void human_age(int64_t ms, char buf[HUMAN_SIZE])
{
    if (ms < MINUTE)
        write_units(ms < 0 ? 0 : ms / SECOND, 's', 0, 0, buf);
    else if (ms < HOUR)
        write_units(ms / MINUTE, 'm', 0, 0, buf);
    else if (ms < DAY)
        write_units(ms / HOUR, 'h', 0, 0, buf);
    else
        write_units(ms / DAY, 'd', 0, 0, buf);
}

/* Three digits at most, one of them behind the point as long as there is room for it. */
static void write_scaled(uint64_t value, unsigned base, const char *units, char *buf)
{
    uint64_t scale = 1;
    size_t unit = 0;

    while (value / scale >= base && units[unit] != '\0') {
        scale *= base;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(buf, HUMAN_SIZE, "%" PRIu64, value);
    else if (value / scale >= 100)
        (void)snprintf(buf, HUMAN_SIZE, "%" PRIu64 "%c", value / scale, units[unit - 1]);
    else
        (void)snprintf(buf, HUMAN_SIZE, "%" PRIu64 ".%" PRIu64 "%c", value / scale,
                       value % scale / (scale / base) * 10 / base, units[unit - 1]);
}

void human_count(uint64_t count, char buf[HUMAN_SIZE])
{
    write_scaled(count, 1000, "kMGTPE", buf);
}

void human_bytes(uint64_t bytes, char buf[HUMAN_SIZE])
{
    write_scaled(bytes, 1024, "KMGTPE", buf);
}

void human_rate(double rate, char buf[HUMAN_SIZE])
{
    if (!(rate > 0))
        rate = 0; /* no number is no rate, either */
    if (rate < 99.95)
        (void)snprintf(buf, HUMAN_SIZE, "%.1f", rate);
    else if (rate < 1e18)
        human_count((uint64_t)(rate + 0.5), buf);
    else
        (void)snprintf(buf, HUMAN_SIZE, "much");
}
