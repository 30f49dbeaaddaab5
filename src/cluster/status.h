/*
 * The state of the instance as one JSON object: what zombiectl status and the
 * admin role show. doc/protocol.md describes it.
 */
#ifndef ZOMBIE_CLUSTER_STATUS_H
#define ZOMBIE_CLUSTER_STATUS_H

#include <stdint.h>

#include <jansson.h>

#include "ipc/scoreboard.h"

struct master;

/* The object, the caller's; NULL when memory is short. */
json_t *status_json(struct master *master, int64_t now_ms);

/* What the instance does, as a whole. */
enum scoreboard_condition status_condition(const struct master *master);

#endif
