/*
 * Births: fork(2), and both sides of it.
 */
#ifndef ZOMBIE_CLUSTER_SPAWN_H
#define ZOMBIE_CLUSTER_SPAWN_H

#include <stdint.h>

struct generation;
struct slot;

/*
 * Put a new worker into an empty slot that has a number. Called from the loop,
 * never from a callback of libevent: the child would inherit a loop in the
 * middle of a turn. When there are no resources the slot waits its back-off.
 */
void spawn_worker(struct slot *slot, int64_t now_ms);

/* Under which generation a worker born into this slot would live. */
const struct generation *spawn_generation(const struct slot *slot);

/* How long the slot waits now that its boot has failed once more; counts the failure. */
int64_t spawn_backoff_ms(struct slot *slot);

#endif
