#include "config.h"

#include "cluster/hang.h"

#define COUNTED_MAX_MS (2 * HANG_TICK_MS)
#define SUSPENDED_MS   (HANG_TICK_MS / 2)
#define LEAST_SHARE    10 /* one part in so many counts, come what may */

static int64_t advance(int64_t from, int64_t to)
{
    return to > from ? to - from : 0;
}

static int64_t throttled_ms(const struct hang_clocks *last, const struct hang_clocks *now)
{
    if (last->throttled_us < 0 || now->throttled_us < 0)
        return 0; /* only what is known to be lost is forgiven */
    return advance(last->throttled_us, now->throttled_us) / 1000;
}

static int64_t fair_since(const struct hang_clocks *last, const struct hang_clocks *now)
{
    int64_t passed_ms = advance(last->monotonic_ms, now->monotonic_ms);
    if (advance(last->boottime_ms, now->boottime_ms) - passed_ms > SUSPENDED_MS)
        return 0;
    int64_t counted_ms =
        passed_ms <= COUNTED_MAX_MS ? passed_ms : HANG_TICK_MS / LEAST_SHARE; /* a late master */
    /* Rounded up, or ticks of a few milliseconds would never add up to a hang. */
    int64_t least_ms = (counted_ms + LEAST_SHARE - 1) / LEAST_SHARE;
    int64_t rest_ms = counted_ms - throttled_ms(last, now);
    return rest_ms > least_ms ? rest_ms : least_ms;
}

void hang_tick(struct hang_watch *watch, const struct hang_clocks *clocks)
{
    if (watch->started)
        watch->fair_ms += fair_since(&watch->last, clocks);
    watch->last = *clocks;
    watch->started = true;
}

int64_t hang_silence_ms(const struct hang_watch *watch, struct hang_pulse *pulse,
                        int64_t heartbeat_ms)
{
    if (!pulse->seen || pulse->heartbeat_ms != heartbeat_ms)
        *pulse = (struct hang_pulse){heartbeat_ms, watch->fair_ms, true};
    return watch->fair_ms - pulse->fair_ms;
}
