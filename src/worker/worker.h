/*
 * The role that serves: a worker learns from the master which instance it
 * belongs to, answers HTTP, and dies when somebody asks it to.
 */
#ifndef ZOMBIE_WORKER_WORKER_H
#define ZOMBIE_WORKER_WORKER_H

#include <stddef.h>

#include "life/life.h"

struct balancer;
struct conf;
struct scoreboard;

/* What a worker is born with; descriptors are its own, the rest is borrowed. */
struct worker_birth {
    struct life_birth life;
    const struct conf *conf;
    const struct scoreboard *scoreboard;
    struct balancer *balancer; /* of all processes */
    unsigned place;            /* of this one in it */
    int access_log_fd;         /* -1: none is kept */
    const int *listeners;      /* listening sockets, non-blocking */
    size_t n_listeners;
};

/*
 * Run in the new process, with default signal dispositions and an empty signal
 * mask, until the worker's work is done. Returns the exit status: 0, or 71
 * (EX_OSERR) when it could not even start; a line in the log says why.
 */
int worker_run(const struct worker_birth *birth);

#endif
