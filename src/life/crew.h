/*
 * What the scoreboard says of the workers as a whole, and whom an orchestrator
 * is told what: verdicts for its probes.
 */
#ifndef ZOMBIE_LIFE_CREW_H
#define ZOMBIE_LIFE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scoreboard;
struct scoreboard_instance;
struct scoreboard_place;
struct scoreboard_slot;

/* The workers that live. */
struct crew {
    unsigned alive;
    unsigned serving;
    unsigned hung;        /* of these that serve: without a heartbeat for too long */
    unsigned strength;    /* how many there are to be */
    uint64_t connections; /* that they hold */
};

/* Place i of a scoreboard that is only read. */
const struct scoreboard_slot *crew_place(const struct scoreboard *scoreboard, size_t i);

/* Whether a worker, and no other role, lives there; and whether it serves. */
bool crew_is_alive(const struct scoreboard_place *place);
bool crew_serves(const struct scoreboard_place *place);

/* Look at all places at now_ms (CLOCK_MONOTONIC); hang_timeout_ms 0: nobody ever hangs. */
void crew_read(const struct scoreboard *scoreboard, int64_t now_ms, int64_t hang_timeout_ms,
               struct crew *ret_crew);

struct verdict {
    bool is_good;
    char text[128]; /* why, in one line */
};

/* /livez: is a restart of everything the only hope? */
struct verdict crew_judge_life(const struct scoreboard_instance *instance, const struct crew *crew,
                               int64_t now_ms);

/* /readyz: is it worth sending requests here? */
struct verdict crew_judge_readiness(const struct scoreboard_instance *instance,
                                    const struct crew *crew);

/* /startupz: has anybody served yet? */
struct verdict crew_judge_start(const struct scoreboard_instance *instance);

#endif
