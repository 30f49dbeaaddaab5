/*
 * The table of slots: looking things up in it, and the one way to change a
 * slot's state.
 */
#ifndef ZOMBIE_CLUSTER_TABLE_H
#define ZOMBIE_CLUSTER_TABLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/log.h"
#include "cluster/role.h"
#include "cluster/slot.h"

struct master;
struct scoreboard_slot;
struct slot;

/*
 * Allocate the table and its scoreboard, for as many workers as there may ever
 * be: memory that no place uses is never touched. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int table_new(struct master *master);

/* The same, on the scoreboard of a predecessor (scoreboard_adopt()), with n places in use. */
__attribute__((warn_unused_result)) int table_adopt(struct master *master, int scoreboard_fd,
                                                    size_t n);

/* How many places table and scoreboard have. */
size_t table_size(void);

/* Free what table_new() made, channels included. */
void table_free(struct master *master);

/* Take a step in the life of a slot and show it on the scoreboard. A wrong step is logged. */
void slot_step(struct slot *slot, enum slot_event event);

/* Show the slot as it is on the scoreboard. */
void slot_show(const struct slot *slot);

/* Make a slot without a process free for any number. */
void slot_release(struct slot *slot);

/* The role of the slot's number. */
enum role slot_role(const struct slot *slot);

/* The slot in a line of the log: slot=3, or slot=admin. */
struct log_field slot_field(const struct slot *slot);

/* The slot's place on the scoreboard. */
struct scoreboard_slot *slot_board(const struct slot *slot);

/* Log from this level on, here and in all children. */
void table_set_log_level(struct master *master, enum log_level level);

/* How many slots of workers are in this state. */
unsigned table_count(const struct master *master, enum slot_state state);

/* The slot whose process this is, or NULL. */
struct slot *table_find_pid(struct master *master, pid_t pid);

/* The slot that stands for this number now, or NULL. */
struct slot *table_holder(struct master *master, unsigned number);

/* The slot that is to stand for this number once it is READY, or NULL. */
struct slot *table_candidate(struct master *master, unsigned number);

/* Whether somebody is to take another's place. */
bool table_has_candidate(const struct master *master);

/* How many processes live, of all roles. */
unsigned table_count_alive(const struct master *master);

/* Workers, whatever they do, that have a process. */
unsigned table_count_workers(const struct master *master);

/* A free place; NULL while too many workers are leaving. */
struct slot *table_free_place(struct master *master);

/* Whether a worker of another generation than the current one lives. */
bool table_is_mixed(const struct master *master);

/* Of the workers that leave of their own accord the one born first, or NULL. */
struct slot *table_oldest_leaver(struct master *master);

#endif
