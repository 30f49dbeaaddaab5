/*
 * What /metrics says of the instance, read from the scoreboard: counters are sums
 * over all places, so no death and no reload makes them fall.
 */
#ifndef ZOMBIE_ADMIN_METRICS_REPORT_H
#define ZOMBIE_ADMIN_METRICS_REPORT_H

#include <stdint.h>

#include "base/bytes.h"

struct scoreboard;

/* The hour at which it is read. */
struct metrics_moment {
    int64_t now_ms;   /* CLOCK_MONOTONIC */
    int64_t epoch_ms; /* what to add for CLOCK_REALTIME */
};

void metrics_report(const struct scoreboard *scoreboard, const struct metrics_moment *moment,
                    struct bytes *out);

#endif
