/*
 * The role that looks around: it finds out what names stand for and which servers are
 * healthy, and tells the balancer, which the workers choose by. It listens on nothing, and
 * may die like any other child.
 */
#ifndef ZOMBIE_HERALD_HERALD_H
#define ZOMBIE_HERALD_HERALD_H

#include <stdbool.h>

#include "life/life.h"

struct balancer;
struct conf;

/* What it is born with; all of it is borrowed but the channel. */
struct herald_birth {
    struct life_birth life;
    const struct conf *conf;
    struct balancer *balancer;
};

/* Whether there is something for it to do. */
bool herald_is_wanted(const struct conf *conf);

/* As worker_run(). */
int herald_run(const struct herald_birth *birth);

#endif
