/*
 * The part of the status that is about upstreams. For status.c.
 */
#ifndef ZOMBIE_CLUSTER_STATUS_UPSTREAM_H
#define ZOMBIE_CLUSTER_STATUS_UPSTREAM_H

#include <stdint.h>

#include <jansson.h>

struct master;

/* An object for each upstream of the current configuration, in its order. */
json_t *status_upstreams(struct master *master, int64_t now_ms);

#endif
