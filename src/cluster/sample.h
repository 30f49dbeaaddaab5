/*
 * What a process has used between two looks: CPU by what proc(5) counts, and
 * requests a second. Times and figures are parameters.
 */
#ifndef ZOMBIE_CLUSTER_SAMPLE_H
#define ZOMBIE_CLUSTER_SAMPLE_H

#include <stdint.h>
#include <sys/types.h>

/* A look that is younger than this is as good as a new one: to look costs the kernel a walk
 * through the memory of the process. */
#define SAMPLE_FRESH_MS 900

struct sample {
    pid_t pid; /* 0: never looked at */
    int64_t when_ms;
    int64_t cpu_ms;
    double cpu_percent; /* between the last two looks, or since the start; -1: unknown */
    int64_t rss_bytes;  /* -1: unknown */
    int64_t pss_bytes;  /* likewise */
    /* Of another rhythm: once a second. */
    uint64_t requests;
    int64_t requests_ms;
    double requests_per_second;
};

/* Look at the process, which was started at started_ms, unless the sample is fresh. */
void sample_look(struct sample *sample, pid_t pid, int64_t started_ms, int64_t now_ms);

/* Its worker, which was started at started_ms, has answered so many requests by now. */
void sample_count(struct sample *sample, uint64_t requests, int64_t started_ms, int64_t now_ms);

#endif
