/*
 * What follows "zombiectl chaos": the words of a run, read and checked. Pure.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_OPTIONS_H
#define ZOMBIE_ZOMBIECTL_CHAOS_OPTIONS_H

#include <stdint.h>

/* Room for what chaos_options_parse() says about a bad word. */
#define CHAOS_WHY_SIZE 200

/* More would only measure the client. */
#define CHAOS_CONNECTIONS_MAX 512

/* A way to make a worker fail. */
struct chaos_way {
    const char *mode;   /* as in --mode */
    const char *signal; /* for the command kill */
    const char *note;   /* what a reader of the verdict should know, or NULL */
};

struct chaos_options {
    const struct chaos_way *way;
    int64_t rate;        /* kills in 1000 s: three decimals of kills a second */
    int64_t for_ms;      /* how long */
    int64_t seed;        /* of the plan; -1: any */
    int64_t min_serving; /* others that must serve while a worker is killed */
    int64_t allow;       /* requests that may be lost */
    int64_t connections; /* of the probe load */
    const char *url;     /* where the load goes, borrowed; NULL: to the first listener */
};

/*
 * Read the n words behind "chaos": "run" and its options, as "--rate 20" or
 * "--rate=20"; of two of a kind the last counts. Returns 0; or -EINVAL and a
 * sentence in `why`, *ret_options is then undefined.
 */
__attribute__((warn_unused_result)) int chaos_options_parse(int n, char *const *words,
                                                            struct chaos_options *ret_options,
                                                            char why[CHAOS_WHY_SIZE]);

/*
 * Read a duration: a whole number and its unit, ms, s, m or h. Returns 0 and sets
 * *ret_ms; -EINVAL when it is none, -ERANGE when it is not from 1 ms to 24 h.
 */
__attribute__((warn_unused_result)) int chaos_options_duration(const char *text, int64_t *ret_ms);

/* Read a number of at most three decimals ("20", "0.5") as thousandths. Returns 0; -EINVAL; or
 * -ERANGE when it is not from 0.001 to 1000. */
__attribute__((warn_unused_result)) int chaos_options_rate(const char *text, int64_t *ret_rate);

#endif
