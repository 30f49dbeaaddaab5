/*
 * Which worker hangs: pure judgement, with every clock as a parameter. A
 * worker hangs when its heartbeat has not moved for hang_timeout_ms of *fair*
 * time: time in which the machine let processes run.
 *
 * The master looks once a tick. Time that it missed itself (SIGSTOP of the
 * whole group, a machine that was suspended or overloaded) and time in which
 * the cgroup was throttled is not fair: a worker could not have beaten either.
 * At least a tenth of the time counts even so: a worker that spins in a small
 * quota throttles its cgroup for ever, and hangs all the same.
 */
#ifndef ZOMBIE_CLUSTER_HANG_H
#define ZOMBIE_CLUSTER_HANG_H

#include <stdbool.h>
#include <stdint.h>

/* How often the master looks. */
#define HANG_TICK_MS 1000

/* What the clocks say at a tick. */
struct hang_clocks {
    int64_t monotonic_ms;
    int64_t boottime_ms;  /* CLOCK_BOOTTIME: runs on in suspend */
    int64_t throttled_us; /* of the cgroup so far, over all CPUs; -1: cannot be read */
};

/* Fair time. Zeroed at start. */
struct hang_watch {
    struct hang_clocks last; /* at the last tick */
    int64_t fair_ms;         /* so far */
    bool started;
};

/* What is remembered of a worker. Zeroed at its birth. */
struct hang_pulse {
    int64_t heartbeat_ms; /* as last seen */
    int64_t fair_ms;      /* when it was seen to have moved */
    bool seen;
};

/*
 * A tick: advance fair time. The first one only notes the clocks. More than
 * 2 * HANG_TICK_MS since the last tick count as a tenth of HANG_TICK_MS: the
 * master was late itself, and so may the workers be. The throttled time is
 * subtracted (added up over the CPUs, so rather too much than too little);
 * never less than a tenth. After a suspend (boottime advanced more than
 * monotonic by over HANG_TICK_MS / 2) nothing counts. Clocks that go back count
 * as standing.
 */
void hang_tick(struct hang_watch *watch, const struct hang_clocks *clocks);

/*
 * Look at a worker's heartbeat (a CLOCK_MONOTONIC value that it stores; any
 * change is a sign of life, whatever its value). Returns for how many
 * milliseconds of fair time it has not moved.
 */
int64_t hang_silence_ms(const struct hang_watch *watch, struct hang_pulse *pulse,
                        int64_t heartbeat_ms);

#endif
