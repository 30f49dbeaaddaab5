/*
 * Reload: a new generation boots beside the running one and takes over when
 * all of it is READY. Whatever goes wrong before that, the running one stays.
 */
#ifndef ZOMBIE_CLUSTER_RELOAD_H
#define ZOMBIE_CLUSTER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/* Load the configuration and begin. A refusal is logged with file and line, and changes nothing. */
void reload_begin(struct master *master, int64_t now_ms);

/* Once a turn: fork what is missing, finish, or give up. */
void reload_step(struct master *master, int64_t now_ms);

/* Whether one is under way. */
bool reload_is_active(const struct master *master);

/* Whether one is under way that writes the log elsewhere. */
bool reload_moves_log(const struct master *master);

/* During a reload: how many children of the next generation are READY, of how many that are wanted.
 */
unsigned reload_count_ready(const struct master *master, unsigned *ret_wanted);

/* During a reload: the number of the next generation. */
unsigned reload_number(const struct master *master);

#endif
