/*
 * What operators order by signals, besides a stop: one thing at a time.
 */
#ifndef ZOMBIE_CLUSTER_ORDERS_H
#define ZOMBIE_CLUSTER_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/*
 * Carry out the orders among `wants` (enum master_want), and those that had to
 * wait for a reload, an upgrade, or workers of another generation.
 */
void orders_take(struct master *master, unsigned wants, int64_t now_ms);

/* Whether an order that has waited may be carried out now. */
bool orders_are_due(const struct master *master);

#endif
