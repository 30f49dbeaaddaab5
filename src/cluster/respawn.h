/*
 * When a dead worker may be replaced: pure policy, with the time and the dice
 * as parameters. A worker that has served is replaced at once, within a budget
 * that bounds storms; one that dies before it is ready waits, longer each time.
 */
#ifndef ZOMBIE_CLUSTER_RESPAWN_H
#define ZOMBIE_CLUSTER_RESPAWN_H

#include <stdbool.h>
#include <stdint.h>

/* Boots that fail in a row, with nobody serving, until the instance is degraded. */
#define RESPAWN_CRASH_LOOP_BOOTS 5

/* A worker that has served this long clears its slot's record. */
#define RESPAWN_PROVEN_MS 10000

struct respawn_limits {
    long per_second;
    long per_10s;
    long backoff_min_ms;
    long backoff_max_ms;
};

struct respawn;

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int respawn_new(const struct respawn_limits *limits,
                                                    struct respawn **ret_respawn);

/* Free; NULL is fine. */
void respawn_free(struct respawn *respawn);

/*
 * May a worker that crashed be replaced at now_ms? Returns 0 for yes, and
 * counts it; or how many milliseconds to wait before asking again. Past the
 * budget the waits double from 100 ms to 5 s until ten quiet seconds.
 */
int64_t respawn_take(struct respawn *respawn, int64_t now_ms);

/*
 * How long a slot waits after its n-th failed boot in a row (n >= 1):
 * backoff_min_ms doubled n-1 times, at most backoff_max_ms, give or take 20 %
 * by `dice` in [0, 1).
 */
int64_t respawn_backoff_ms(const struct respawn_limits *limits, unsigned n, double dice);

/* Boots as they go, over all slots. */
void respawn_boot_failed(struct respawn *respawn);
void respawn_boot_succeeded(struct respawn *respawn);

/* Whether only one slot at a time may boot, because the last boot failed. */
bool respawn_is_cautious(const struct respawn *respawn);

/* Whether nobody serves and RESPAWN_CRASH_LOOP_BOOTS boots in a row have failed. */
bool respawn_is_crash_loop(const struct respawn *respawn, unsigned serving);

#endif
