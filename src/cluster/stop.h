/*
 * How the instance comes to its end.
 */
#ifndef ZOMBIE_CLUSTER_STOP_H
#define ZOMBIE_CLUSTER_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct death;
struct master;
struct slot;

/*
 * Begin to stop as `wants` (of enum master_want) says, or make a stop that
 * goes on faster; other bits are ignored. A stop is never made slower.
 */
void stop_begin(struct master *master, unsigned wants, int64_t now_ms);

/*
 * Once a turn of a stop: when the workers are gone, the other roles may go. Until
 * then they are there for those who watch.
 */
void stop_step(struct master *master, int64_t now_ms);

/* A child was buried, its slot still as it was: during a stop, note what that has cost. */
void stop_count(const struct slot *slot, const struct death *death);

/* Whether all children are gone. */
bool stop_is_complete(const struct master *master);

#endif
