/*
 * The part of the status that is about the registry. For status.c.
 */
#ifndef ZOMBIE_CLUSTER_STATUS_REGISTRY_H
#define ZOMBIE_CLUSTER_STATUS_REGISTRY_H

#include <stdint.h>

#include <jansson.h>

struct master;

/* An object; null without a registry. */
json_t *status_registry(const struct master *master, int64_t now_ms);

#endif
