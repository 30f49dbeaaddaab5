#include "config.h"

#include "cluster/respawn.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define SECOND_MS    1000
#define TEN_MS       10000
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define JITTER       0.2

struct respawn {
    struct respawn_limits limits;
    int64_t *times; /* of the last per_10s replacements, a ring */
    size_t next;    /* where the next time goes */
    int64_t taken;  /* replacements ever */
    int64_t pause_ms;
    int64_t paused_until_ms;
    unsigned failed_boots; /* in a row */
};

int respawn_new(const struct respawn_limits *limits, struct respawn **ret_respawn)
{
    struct respawn *respawn = calloc(1, sizeof *respawn);
    int64_t *times = calloc((size_t)limits->per_10s, sizeof *times);
    if (respawn == NULL || times == NULL) {
        free(respawn);
        free(times);
        return -ENOMEM;
    }
    *respawn = (struct respawn){.limits = *limits, .times = times, .pause_ms = PAUSE_MIN_MS};
    *ret_respawn = respawn;
    return 0;
}

void respawn_free(struct respawn *respawn)
{
    if (respawn == NULL)
        return;
    free(respawn->times);
    free(respawn);
}

/* Whether the n-th last replacement, 1 <= n <= per_10s, was less than window_ms ago. */
static bool is_recent(const struct respawn *respawn, long n, int64_t window_ms, int64_t now_ms)
{
    size_t size = (size_t)respawn->limits.per_10s;
    if (respawn->taken < n)
        return false;
    return now_ms - respawn->times[(respawn->next + size - (size_t)n) % size] < window_ms;
}

static bool is_over_budget(const struct respawn *respawn, int64_t now_ms)
{
    const struct respawn_limits *limits = &respawn->limits;
    long per_second = limits->per_second < limits->per_10s ? limits->per_second : limits->per_10s;
    return is_recent(respawn, per_second, SECOND_MS, now_ms) ||
           is_recent(respawn, limits->per_10s, TEN_MS, now_ms);
}

int64_t respawn_take(struct respawn *respawn, int64_t now_ms)
{
    if (now_ms < respawn->paused_until_ms)
        return respawn->paused_until_ms - now_ms;
    if (now_ms - respawn->paused_until_ms >= TEN_MS)
        respawn->pause_ms = PAUSE_MIN_MS;
    if (is_over_budget(respawn, now_ms)) {
        int64_t pause_ms = respawn->pause_ms;
        respawn->paused_until_ms = now_ms + pause_ms;
        respawn->pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
        return pause_ms;
    }
    respawn->times[respawn->next] = now_ms;
    respawn->next = (respawn->next + 1) % (size_t)respawn->limits.per_10s;
    respawn->taken++;
    return 0;
}

int64_t respawn_backoff_ms(const struct respawn_limits *limits, unsigned n, double dice)
{
    int64_t wait_ms = limits->backoff_min_ms;
    for (unsigned i = 1; i < n && wait_ms < limits->backoff_max_ms; i++)
        wait_ms *= 2;
    if (wait_ms > limits->backoff_max_ms)
        wait_ms = limits->backoff_max_ms;
    return (int64_t)((double)wait_ms * (1 - JITTER + 2 * JITTER * dice));
}

void respawn_boot_failed(struct respawn *respawn)
{
    respawn->failed_boots++;
}

void respawn_boot_succeeded(struct respawn *respawn)
{
    respawn->failed_boots = 0;
}

bool respawn_is_cautious(const struct respawn *respawn)
{
    return respawn->failed_boots > 0;
}

bool respawn_is_crash_loop(const struct respawn *respawn, unsigned serving)
{
    return serving == 0 && respawn->failed_boots >= RESPAWN_CRASH_LOOP_BOOTS;
}
