/*
 * The flight recorder: the last deaths, kept in memory, and the request shapes
 * that keep killing workers. Pure: times and deaths are parameters.
 */
#ifndef ZOMBIE_CLUSTER_RECORDER_H
#define ZOMBIE_CLUSTER_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/scoreboard.h"

/* How many deaths are kept. */
#define RECORDER_DEATHS 64

/* So many deaths within so long make a request shape a poison request. */
#define RECORDER_POISON_DEATHS    3
#define RECORDER_POISON_WINDOW_MS 60000

/* Why the master killed a worker, or "" when it did not; longer texts are cut. */
#define RECORDER_REASON_SIZE 64

/* A death in numbers. The texts always end. */
struct death {
    int64_t when_ms; /* CLOCK_MONOTONIC, as all times here */
    uint64_t worker;
    uint32_t slot; /* its number */
    uint32_t generation;
    int64_t pid;
    int64_t uptime_ms;
    int64_t wait_status; /* waitpid(2) */
    int64_t max_rss_kb;
    int64_t user_ms;
    int64_t system_ms;
    uint64_t requests;        /* answered */
    uint64_t connections;     /* open */
    int64_t heartbeat_age_ms; /* -1: it never had one */
    int64_t elapsed_ms;       /* of the request in flight; -1: none */
    char method[SCOREBOARD_METHOD_SIZE];
    char path[SCOREBOARD_PATH_SIZE];
    char client[SCOREBOARD_CLIENT_SIZE];
    char killed_for[RECORDER_REASON_SIZE];
    bool oom;
    bool deliberate;
    bool poison; /* set by recorder_add() */
};

struct recorder {
    struct death deaths[RECORDER_DEATHS];
    uint64_t added; /* ever; the newest is deaths[(added - 1) % RECORDER_DEATHS] */
};

/*
 * Keep a copy of *death, in place of the oldest when there are many. Its request
 * shape is the method and the path up to a '?'. Returns how many of the deaths
 * kept, this one included, had this shape in flight within
 * RECORDER_POISON_WINDOW_MS before it when that makes it a poison request (the
 * copy is then marked), else 0. A deliberate death, or one without a request in
 * flight, is kept and never counts.
 */
unsigned recorder_add(struct recorder *recorder, const struct death *death);

/* How many are kept. */
size_t recorder_count(const struct recorder *recorder);

/* The i-th oldest, 0 <= i < recorder_count(). */
const struct death *recorder_at(const struct recorder *recorder, size_t i);

/* Length in bytes of the part of a path that belongs to the shape: up to '?' or the end. */
size_t recorder_shape_length(const char *path);

#endif
