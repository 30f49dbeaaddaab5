/*
 * How long to wait after failures in a row: full jitter, so that those who failed together do
 * not come back together (M. Brooker, "Exponential Backoff And Jitter", 2015), but for a tenth
 * of the wait that is always kept. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_BACKOFF_H
#define ZOMBIE_DISCOVERY_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff_rule {
    int64_t first_ms; /* the longest wait after the first failure; doubles with each further one */
    int64_t max_ms;   /* up to this */
    /* Above 0: no doubling. At once after the first failure, then max_ms, give or take so much. */
    int64_t spread_ms;
};

/*
 * How long to wait after the failures-th failure in a row, 1 or more; dice is from 0 to
 * below 1.
 */
int64_t backoff_ms(const struct backoff_rule *rule, unsigned failures, double dice);

/*
 * Whether the failures-th in a row is worth a line in the log: the 1st, 2nd, 4th, 8th and so on,
 * as the same again and again would help nobody.
 */
bool backoff_is_told(unsigned failures);

#endif
