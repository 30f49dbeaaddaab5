#include "config.h"

#include "herald/renewal.h"

static int64_t bound(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

void renewal_succeed(struct renewal *renewal, int64_t ttl_s, int64_t now_ms)
{
    int64_t wait_s = bound(ttl_s, RENEWAL_MIN_MS / 1000, RENEWAL_MAX_MS / 1000);
    renewal->failures = 0;
    renewal->due_ms = now_ms + wait_s * 1000;
}

void renewal_fail(struct renewal *renewal, double dice, int64_t now_ms)
{
    int64_t wait_ms = RENEWAL_RETRY_MIN_MS;
    for (unsigned i = 0; i < renewal->failures && wait_ms < RENEWAL_RETRY_MAX_MS; i++)
        wait_ms *= 2;
    renewal->failures++;
    wait_ms = bound(wait_ms, RENEWAL_RETRY_MIN_MS, RENEWAL_RETRY_MAX_MS);
    wait_ms -= (int64_t)((double)wait_ms / 4 * dice);
    renewal->due_ms = now_ms + bound(wait_ms, RENEWAL_RETRY_MIN_MS, RENEWAL_RETRY_MAX_MS);
}
