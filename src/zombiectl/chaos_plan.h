/*
 * Which worker is killed when: a pure function of the seed, the rate, the time
 * and the number of slots, so that a run can be repeated.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_PLAN_H
#define ZOMBIE_ZOMBIECTL_CHAOS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct chaos_plan {
    uint64_t seed;
    int64_t rate;   /* kills in 1000 s, > 0 */
    int64_t for_ms; /* > 0 */
    unsigned slots; /* > 0 */
};

struct chaos_kill {
    int64_t at_us; /* since the begin */
    unsigned slot; /* 1..slots */
};

/*
 * The kill with this number, 0 and up: one in each period of the rate, anywhere
 * in it. Returns false when the plan has no more: nor with any larger number.
 */
bool chaos_plan_kill(const struct chaos_plan *plan, uint64_t number, struct chaos_kill *ret_kill);

#endif
