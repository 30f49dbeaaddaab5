/*
 * Who serves, as the server's status and its events say, and how long it takes
 * after a kill until as many serve as shall. Pure: the time is a parameter.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_STRENGTH_H
#define ZOMBIE_ZOMBIECTL_CHAOS_STRENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "zombiectl/chaos_spread.h"

#define CHAOS_SLOTS_MAX 1024

/* A kill that was ordered. */
struct chaos_stroke {
    int64_t worker;
    int64_t at_us;
    bool has_hit;     /* the worker is gone, or leaves */
    bool is_restored; /* all have served at once since */
};

/* All zero is one that knows nothing. */
struct chaos_strength {
    int64_t wanted;
    int64_t serving[CHAOS_SLOTS_MAX + 1]; /* by slot: the worker's id; 0: nobody */
    struct chaos_stroke *strokes;         /* those that are not both hit and restored */
    size_t n_strokes;
    size_t room;
    uint64_t deaths;              /* strokes that have hit */
    struct chaos_spread recovery; /* from a stroke to full strength */
};

void chaos_strength_clear(struct chaos_strength *strength);

/* Learn from a STATUS (doc/protocol.md), which holds more than what was known. */
void chaos_strength_learn(struct chaos_strength *strength, const json_t *status, int64_t now_us);

/* An EVENT. */
void chaos_strength_hear(struct chaos_strength *strength, const json_t *event, int64_t now_us);

/* The worker that serves in that slot and is not struck; 0: none. */
int64_t chaos_strength_in(const struct chaos_strength *strength, unsigned slot);

/* The worker of that slot, which serves, is about to be killed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int chaos_strength_strike(struct chaos_strength *strength,
                                                              unsigned slot, int64_t now_us);

/* It was not killed after all. Returns false when its death, or its leave, has been heard of. */
bool chaos_strength_spare(struct chaos_strength *strength, int64_t worker, int64_t now_us);

/* How many serve; those that are struck do not, even if nobody has noticed yet. */
int64_t chaos_strength_count(const struct chaos_strength *strength);

/* Whether as many serve as shall. */
bool chaos_strength_is_full(const struct chaos_strength *strength);

/* Whether besides every worker that was struck is gone, or leaves. */
bool chaos_strength_is_settled(const struct chaos_strength *strength);

#endif
