/*
 * Who takes nothing of a list that has begun: for at most send_timeout_ms, whatever it reads
 * meanwhile.
 */
#ifndef ZOMBIE_DISTRIBUTOR_LAGGARDS_H
#define ZOMBIE_DISTRIBUTOR_LAGGARDS_H

#include <stddef.h>

struct visitor;
struct distributor;
struct snapshot;

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int laggards_init(struct distributor *distributor);

/* The socket of the connection is full; it has a deadline from now on, unless it has one. */
void laggards_add(struct visitor *visitor);

/* The list is sent. */
void laggards_drop(struct visitor *visitor);

/* Cut off all who are at this snapshot, which is then gone unless it is the newest; how many they
 * were. */
size_t laggards_cut_off(struct distributor *distributor, const struct snapshot *snapshot);

/* send_timeout_ms has changed. */
void laggards_rearm(struct distributor *distributor);

void laggards_clear(struct distributor *distributor);

#endif
