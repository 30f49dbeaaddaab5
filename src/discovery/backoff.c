#include "config.h"

#include "discovery/backoff.h"

/* However the dice fall, nobody is asked again sooner than this part of the wait. */
#define FLOOR 0.1

static int64_t longest_ms(const struct backoff_rule *rule, unsigned failures)
{
    int64_t wait_ms = rule->first_ms;
    for (unsigned i = 1; i < failures && wait_ms < rule->max_ms; i++)
        wait_ms *= 2;
    return wait_ms < rule->max_ms ? wait_ms : rule->max_ms;
}

int64_t backoff_ms(const struct backoff_rule *rule, unsigned failures, double dice)
{
    if (rule->spread_ms == 0)
        return (int64_t)((double)longest_ms(rule, failures) * (FLOOR + (1 - FLOOR) * dice));
    if (failures <= 1)
        return 0;
    return rule->max_ms - rule->spread_ms + (int64_t)((double)(2 * rule->spread_ms) * dice);
}

bool backoff_is_told(unsigned failures)
{
    return (failures & (failures - 1)) == 0;
}
