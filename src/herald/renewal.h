/*
 * When a name is looked up again. Pure: time and dice are the caller's.
 */
#ifndef ZOMBIE_HERALD_RENEWAL_H
#define ZOMBIE_HERALD_RENEWAL_H

#include <stdint.h>

/* Whatever the TTL says, an answer is kept for so long. */
#define RENEWAL_MIN_MS 1000
#define RENEWAL_MAX_MS 3600000

/* After failures: the first time, and at most. */
#define RENEWAL_RETRY_MIN_MS 1000
#define RENEWAL_RETRY_MAX_MS 30000

struct renewal {
    int64_t due_ms;
    unsigned failures; /* in a row */
};

/* The name was found, and what was found is good for ttl_s seconds. */
void renewal_succeed(struct renewal *renewal, int64_t ttl_s, int64_t now_ms);

/*
 * It was not: the wait doubles with each failure in a row; `dice`, from 0 to below
 * 1, takes up to a quarter from it, so that not all names are asked for at once.
 */
void renewal_fail(struct renewal *renewal, double dice, int64_t now_ms);

#endif
