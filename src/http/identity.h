/*
 * Who answers: what a worker knows of itself and of its instance.
 */
#ifndef ZOMBIE_HTTP_IDENTITY_H
#define ZOMBIE_HTTP_IDENTITY_H

#include <stdint.h>

/* Room for an instance id in its text form (RFC 9562 section 4), NUL included. */
#define IDENTITY_UUID_SIZE 37

struct worker_identity {
    char instance[IDENTITY_UUID_SIZE];
    char hostname[256];
    uint64_t worker; /* rises by one with each fork */
    uint32_t slot;   /* 1..N, stays when the worker is replaced */
    int64_t pid;
    int64_t started_ms; /* CLOCK_MONOTONIC */
};

#endif
