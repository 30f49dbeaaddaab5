/*
 * One turn of the master: compare what is with what should be, and act.
 */
#ifndef ZOMBIE_CLUSTER_RECONCILE_H
#define ZOMBIE_CLUSTER_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/*
 * Reap, kill what is overdue, refill what is empty, stop when asked. Sets
 * *ret_next_ms to when it must run again at the latest (CLOCK_MONOTONIC;
 * INT64_MAX: only when something happens). Returns false when the instance has
 * come to its end.
 */
bool reconcile(struct master *master, int64_t now_ms, int64_t *ret_next_ms);

#endif
