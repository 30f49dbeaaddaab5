/*
 * A worker's whole life: it learns from the master which instance it belongs
 * to, answers HTTP, and leaves when it is told to or when the master is gone.
 */
#ifndef ZOMBIE_WORKER_WORKER_H
#define ZOMBIE_WORKER_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct scoreboard_slot;

/* What a worker is born with; descriptors are its own, the rest is borrowed. */
struct worker_birth {
    const struct conf *conf;
    struct scoreboard_slot *scoreboard;
    uint64_t worker; /* rises by one with each fork */
    uint32_t slot;   /* 1..N */
    pid_t master;
    int channel_fd;
    int access_log_fd;    /* -1: none is kept */
    const int *listeners; /* listening sockets, non-blocking */
    size_t n_listeners;
};

/*
 * Run in the new process, with default signal dispositions and an empty signal
 * mask, until the worker's work is done. Returns the exit status: 0, or 71
 * (EX_OSERR) when it could not even start; a line in the log says why.
 */
int worker_run(const struct worker_birth *birth);

#endif
