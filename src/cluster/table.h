/*
 * The table of slots: looking things up in it, and the one way to change a
 * slot's state.
 */
#ifndef ZOMBIE_CLUSTER_TABLE_H
#define ZOMBIE_CLUSTER_TABLE_H

#include <sys/types.h>

#include "cluster/slot.h"

struct master;
struct scoreboard_slot;
struct slot;

/* Allocate the table and its scoreboard for master->workers workers. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int table_new(struct master *master);

/* Free what table_new() made, channels included. */
void table_free(struct master *master);

/* Take a step in the life of a slot and show it on the scoreboard. A wrong step is logged. */
void slot_step(struct slot *slot, enum slot_event event);

/* Show the slot as it is on the scoreboard. */
void slot_show(const struct slot *slot);

/* The slot's place on the scoreboard. */
struct scoreboard_slot *slot_board(const struct slot *slot);

/* How many slots are in this state. */
unsigned table_count(const struct master *master, enum slot_state state);

/* The slot whose process this is, or NULL. */
struct slot *table_find_pid(struct master *master, pid_t pid);

/*
 * The slot that stands for this number, 1..N, now; else a free one; else NULL.
 * One that is being left does not stand for its number any more.
 */
struct slot *table_holder(struct master *master, unsigned number);

/* Of the workers that leave of their own accord the one born first, or NULL. */
struct slot *table_oldest_leaver(struct master *master);

#endif
