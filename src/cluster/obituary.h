/*
 * The one line that a worker's death leaves in the log.
 */
#ifndef ZOMBIE_CLUSTER_OBITUARY_H
#define ZOMBIE_CLUSTER_OBITUARY_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/master_state.h"
#include "ipc/scoreboard.h"

struct rusage;
struct slot;

/* What becomes of the slot. */
enum verdict {
    VERDICT_REPLACED,  /* a successor is forked at once, as far as the budget allows */
    VERDICT_BACKOFF,   /* ... after wait_ms */
    VERDICT_HELD,      /* no successor: its configuration is wrong */
    VERDICT_SUCCEEDED, /* its successor is there already: it left of its own accord */
    VERDICT_GONE,      /* nothing: the instance stops */
};

struct obituary {
    const struct slot *slot;
    int wait_status; /* as of waitpid(2) */
    const struct rusage *usage;
    bool oom;
    enum verdict verdict;
    int64_t wait_ms;
    struct scoreboard_work work; /* what it was doing */
};

/* How it ended, in a few words: "killed by SIGSEGV, core dumped". */
void obituary_cause(const struct obituary *obituary, char cause[MASTER_CAUSE_SIZE]);

/* Write it: at level info when the death was asked for, else as a warning. */
void obituary_log(const struct obituary *obituary, int64_t now_ms);

#endif
