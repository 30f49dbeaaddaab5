/*
 * Who has served long enough: pure policy. Limits are staggered by slot, so
 * that workers that were born together are not recycled together.
 */
#ifndef ZOMBIE_CLUSTER_RECYCLE_H
#define ZOMBIE_CLUSTER_RECYCLE_H

#include <stdint.h>

/* A worker younger than this (since READY) is not recycled for its memory: its successor would be
 * as big. */
#define RECYCLE_MEMORY_MIN_AGE_MS 10000

/* 0: no such limit. */
struct recycle_limits {
    long max_requests;
    int64_t max_memory_bytes;
    int64_t max_age_ms;
};

struct recycle_facts {
    unsigned number;  /* of the slot, 1..workers */
    unsigned workers; /* N, 1.. */
    uint64_t requests;
    int64_t memory_bytes; /* resident; -1: unknown */
    int64_t age_ms;       /* since READY */
};

/*
 * A limit for that slot: `limit` for slot 1, up to almost one and a half times
 * as much for slot N, in equal steps (limit + limit * (number - 1) / (2 * N),
 * whole part, without overflow). A number beyond N counts as N. Memory is not
 * staggered: it is what the machine has.
 */
int64_t recycle_staggered(int64_t limit, unsigned number, unsigned workers);

/*
 * Why a worker is to be replaced, as the log says it ("max_requests reached",
 * "max_memory exceeded", "max_age reached"), or NULL. A constant.
 */
const char *recycle_reason(const struct recycle_limits *limits, const struct recycle_facts *facts);

#endif
