/*
 * Time, in the two kinds the program needs: a monotonic one for deadlines and
 * a calendar one for people who read logs.
 */
#ifndef ZOMBIE_BASE_CLOCK_H
#define ZOMBIE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Room for clock_format_iso8601(), terminating NUL included. */
#define CLOCK_ISO8601_SIZE 25

/*
 * Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)): never goes back, stops
 * while the machine is suspended. The only time that deadlines are made of.
 */
int64_t clock_now_ms(void);

/* The one of two moments that comes first. */
static inline int64_t clock_sooner_ms(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* The same as clock_now_ms() in microseconds: for how long something took. */
int64_t clock_now_us(void);

/* Milliseconds of CLOCK_REALTIME, since 1970: for people, and jumps when the clock is set. */
int64_t clock_wall_ms(void);

/* Milliseconds of CLOCK_BOOTTIME: the same, but it runs on in suspend. Not for deadlines. */
int64_t clock_boottime_ms(void);

/*
 * Write `when` (seconds and nanoseconds since the epoch) in UTC as ISO 8601
 * with milliseconds, "2026-01-31T23:59:59.123Z", into buf.
 */
void clock_format_iso8601(const struct timespec *when, char buf[CLOCK_ISO8601_SIZE]);

#endif
