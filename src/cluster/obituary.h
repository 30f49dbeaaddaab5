/*
 * What is put on record of a dead worker: its place in the flight recorder, and
 * the one line of the log.
 */
#ifndef ZOMBIE_CLUSTER_OBITUARY_H
#define ZOMBIE_CLUSTER_OBITUARY_H

#include <stdint.h>

#include "cluster/master_state.h"
#include "cluster/recorder.h"

struct rusage;

/* What happens to the slot next. */
enum verdict {
    VERDICT_REPLACED,  /* at once */
    VERDICT_BACKOFF,   /* after wait_ms */
    VERDICT_HELD,      /* not before its configuration changes */
    VERDICT_DRAINED,   /* not before somebody wants it to be */
    VERDICT_SUCCEEDED, /* its successor is there already */
    VERDICT_SPARED,    /* fewer workers are wanted */
    VERDICT_GIVEN_UP,  /* its generation failed to boot */
    VERDICT_POSTPONED, /* whom it was to succeed goes on, it is tried again in wait_ms */
    VERDICT_GONE,      /* the instance stops */
};

struct obituary {
    struct death death;
    enum verdict verdict;
    int64_t wait_ms;
    unsigned poison; /* deaths of its request shape, when that makes it a poison request */
};

/* Fill the record of a death from the slot, the scoreboard and what wait4(2) said. */
void obituary_compose(const struct slot *slot, int wait_status, const struct rusage *usage,
                      int64_t now_ms, struct death *ret_death);

/* How it died: "exited with status 71", "killed by SIGSEGV, core dumped". */
void obituary_cause(const struct death *death, char cause[MASTER_CAUSE_SIZE]);

/* Note it in the master's journal, and a poison request. */
void obituary_chronicle(const struct obituary *obituary, const struct slot *slot);

/* Write the line, and one more about a poison request. */
void obituary_log(const struct obituary *obituary);

#endif
