/*
 * How times are spread: any number of them in the same memory, and percentiles
 * that are at most 1.6 % too large. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_SPREAD_H
#define ZOMBIE_ZOMBIECTL_CHAOS_SPREAD_H

#include <stdint.h>

/* Values up to 2^42 us, 50 days, in classes: each below 128 us, then 64 for a doubling. */
#define CHAOS_SPREAD_CLASSES (36 * 64 + 64)

/* All zero is one without values. */
struct chaos_spread {
    uint64_t n;
    int64_t max_us;
    uint64_t counts[CHAOS_SPREAD_CLASSES];
};

/* Take a time into account; a negative one counts as 0, one too large as the largest. */
void chaos_spread_add(struct chaos_spread *spread, int64_t us);

/* The time that `percent` (1..100) of them do not exceed, by nearest rank; -1 when there is none.
 */
int64_t chaos_spread_percentile(const struct chaos_spread *spread, unsigned percent);

#endif
