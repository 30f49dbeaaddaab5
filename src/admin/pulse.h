/*
 * Two numbers that tell whether anything has changed on the scoreboard, at the
 * price of a look at it. Pure.
 */
#ifndef ZOMBIE_ADMIN_PULSE_H
#define ZOMBIE_ADMIN_PULSE_H

#include <stdint.h>

struct scoreboard;

struct pulse {
    uint64_t shape;   /* who is where, in which state, and what the instance does */
    uint64_t traffic; /* how much the workers have done, and do */
};

void pulse_read(const struct scoreboard *scoreboard, struct pulse *ret_pulse);

#endif
