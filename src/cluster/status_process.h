/*
 * The part of the status that is about processes. For status.c.
 */
#ifndef ZOMBIE_CLUSTER_STATUS_PROCESS_H
#define ZOMBIE_CLUSTER_STATUS_PROCESS_H

#include <stdint.h>

#include <jansson.h>

struct master;

/* An object for each process and each slot without one, by slot, the holder first. */
json_t *status_processes(struct master *master, int64_t now_ms);

/* A figure that may be unknown (below 0): null then. */
json_t *status_number(int64_t value);
json_t *status_figure(double value); /* with two digits after the point */

#endif
