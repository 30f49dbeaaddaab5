/*
 * How the master parts with a worker: asks it to leave, or makes it.
 */
#ifndef ZOMBIE_CLUSTER_KILL_H
#define ZOMBIE_CLUSTER_KILL_H

#include <stdint.h>

#include "ipc/message.h"

struct slot;

/*
 * Send the worker a message (DRAIN or STOP) that makes it leave, and kill it if
 * it has not left by deadline_ms (CLOCK_MONOTONIC; INT64_MAX: never).
 */
void kill_by_message(struct slot *slot, const struct message *message, int64_t deadline_ms);

/* Send SIGKILL, for this reason (a constant text); the log counts what is cut off. */
void kill_worker(struct slot *slot, const char *reason, int64_t now_ms);

#endif
