/*
 * The role that is watched: it answers status, metrics and the live page, and
 * passes orders on to the master. It may die like any other child.
 */
#ifndef ZOMBIE_ADMIN_ADMIN_H
#define ZOMBIE_ADMIN_ADMIN_H

#include <stddef.h>

#include "life/life.h"

struct balancer;
struct directory;
struct conf;
struct scoreboard;

/* What it is born with; descriptors are its own, the rest is borrowed. */
struct admin_birth {
    struct life_birth life;
    const struct conf *conf;
    const struct scoreboard *scoreboard; /* of all; so the next two, which are only looked at */
    struct balancer *balancer;
    struct directory *directory;
    int control_fd;       /* to ask and order by, see control/client.h */
    const int *listeners; /* listening sockets, non-blocking */
    size_t n_listeners;
};

/* As worker_run(). */
int admin_run(const struct admin_birth *birth);

#endif
