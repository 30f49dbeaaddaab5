/*
 * What /metrics says of upstreams, read from the balancer, which all workers
 * share: the death of one makes no counter fall.
 */
#ifndef ZOMBIE_ADMIN_METRICS_UPSTREAMS_H
#define ZOMBIE_ADMIN_METRICS_UPSTREAMS_H

#include <stdint.h>

#include "base/bytes.h"

struct balancer;

/* A sample for each address of each server; nothing without upstreams. now_ms: CLOCK_MONOTONIC. */
void metrics_upstreams(struct balancer *balancer, int64_t now_ms, struct bytes *out);

#endif
