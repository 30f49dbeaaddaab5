/*
 * What became of the requests of a probe load. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_TALLY_H
#define ZOMBIE_ZOMBIECTL_CHAOS_TALLY_H

#include <stdint.h>

#include "zombiectl/chaos_spread.h"

enum chaos_outcome {
    PROBE_OK,
    PROBE_REFUSED,   /* could not connect */
    PROBE_RESET,     /* reset before a byte of the answer */
    PROBE_CLOSED,    /* closed before a byte of the answer */
    PROBE_PARTIAL,   /* closed or reset amid the answer */
    PROBE_STATUS,    /* answered with 5xx */
    PROBE_MALFORMED, /* what came is no answer */
    PROBE_TIMEOUT,   /* not answered in time */
    PROBE_OUTCOMES
};

/* All zero is an empty one. */
struct chaos_tally {
    uint64_t outcomes[PROBE_OUTCOMES];
    uint64_t retried;            /* of those, the ones that were sent a second time */
    uint64_t client_errors;      /* of those that are PROBE_OK, answered with 4xx */
    uint64_t not_sent;           /* attempts that failed for want of something on this side */
    struct chaos_spread latency; /* of those that are PROBE_OK */
};

/* "ok", "refused", ... */
const char *chaos_tally_name(enum chaos_outcome outcome);

/* All requests; each has one outcome. */
uint64_t chaos_tally_sent(const struct chaos_tally *tally);

/* Those that are not PROBE_OK. */
uint64_t chaos_tally_lost(const struct chaos_tally *tally);

#endif
