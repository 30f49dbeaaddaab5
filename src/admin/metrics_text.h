/*
 * Writes the text format of Prometheus, version 0.0.4: names are snake_case
 * with their unit, times are in seconds. Pure.
 */
#ifndef ZOMBIE_ADMIN_METRICS_TEXT_H
#define ZOMBIE_ADMIN_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_label {
    const char *name;
    const char *value; /* any text */
};

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* The lines that go before the samples of one name; help is one sentence. */
void metrics_family(struct bytes *out, const char *name, enum metrics_kind kind, const char *help);

/* One sample; labels are ended by a NULL name, or NULL for none. */
void metrics_number(struct bytes *out, const char *name, const struct metrics_label *labels,
                    uint64_t value);

/* The same for a time, given in microseconds and written in seconds. */
void metrics_seconds(struct bytes *out, const char *name, const struct metrics_label *labels,
                     uint64_t value_us);

/* What was counted by upper bounds: n of them, and n + 1 places, the last one for what is above. */
struct metrics_histogram {
    const uint64_t *bounds_us;
    const uint64_t *places; /* not cumulative */
    size_t n;
    uint64_t sum_us;
};

/* All samples of a histogram: _bucket, _sum and _count. */
void metrics_histogram(struct bytes *out, const char *name,
                       const struct metrics_histogram *histogram);

#endif
