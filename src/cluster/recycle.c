#include "config.h"

#include "cluster/recycle.h"

#include <stdbool.h>
#include <stddef.h>

int64_t recycle_staggered(int64_t limit, unsigned number, unsigned workers)
{
    uint64_t whole = (uint64_t)limit;
    uint64_t steps = (number < workers ? number : workers) - 1U;
    /* Divided in parts: a product of all of `whole` would overflow. */
    uint64_t more = (whole / workers * steps + whole % workers * steps / workers) / 2;
    return whole + more < INT64_MAX ? (int64_t)(whole + more) : INT64_MAX;
}

static bool has_reached(int64_t limit, uint64_t value, const struct recycle_facts *facts)
{
    return limit > 0 && value >= (uint64_t)recycle_staggered(limit, facts->number, facts->workers);
}

static bool is_too_big(int64_t limit, const struct recycle_facts *facts)
{
    return limit > 0 && facts->age_ms >= RECYCLE_MEMORY_MIN_AGE_MS && facts->memory_bytes > limit;
}

const char *recycle_reason(const struct recycle_limits *limits, const struct recycle_facts *facts)
{
    uint64_t age_ms = facts->age_ms > 0 ? (uint64_t)facts->age_ms : 0;
    if (has_reached(limits->max_requests, facts->requests, facts))
        return "max_requests reached";
    if (is_too_big(limits->max_memory_bytes, facts))
        return "max_memory exceeded";
    if (has_reached(limits->max_age_ms, age_ms, facts))
        return "max_age reached";
    return NULL;
}
