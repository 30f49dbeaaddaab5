/*
 * Upgrade in place: the master executes a newer program under its own process
 * id, which goes on with the same sockets and workers. A child tries first
 * whether that program can read the configuration and what it would inherit.
 */
#ifndef ZOMBIE_CLUSTER_UPGRADE_H
#define ZOMBIE_CLUSTER_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/* Start the trial. What goes wrong is logged, and changes nothing. */
void upgrade_begin(struct master *master, int64_t now_ms);

/* Whether a trial runs, or has passed and is about to be followed. */
bool upgrade_is_active(const struct master *master);

/* The trial has ended (wait status as of waitpid(2)). */
void upgrade_judge(struct master *master, int wait_status);

/* Once a turn: end a trial that takes too long; execute the program that has passed. */
void upgrade_step(struct master *master, int64_t now_ms);

/* Forget the trial, since the instance stops. */
void upgrade_cancel(struct master *master);

#endif
