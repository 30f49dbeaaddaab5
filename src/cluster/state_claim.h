/*
 * What may occur once in a serialised state: who claims which value of which
 * kind, and which two claims collide. For state_decode.c only.
 */
#ifndef ZOMBIE_CLUSTER_STATE_CLAIM_H
#define ZOMBIE_CLUSTER_STATE_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/state_member.h"

/* A member of the state itself, or of an element of a list. The texts are borrowed. */
struct state_place {
    const char *list; /* NULL: the state itself */
    size_t index;
    const char *key; /* NULL: the element itself */
};

/* Room for a place as text; a very long key is cut. */
#define STATE_PLACE_SIZE 128

/* "workers[3].pid" */
void state_place_format(const struct state_place *place, char ret_text[STATE_PLACE_SIZE]);

struct state_claim {
    enum state_name name;
    int64_t value;
    struct state_place place;
    size_t order; /* 0, 1, ... as they were made */
};

/* Starts as {0}; `claims` is the caller's to free(3). */
struct state_claims {
    struct state_claim *claims;
    size_t n;
    size_t size;
};

/* Add a claim. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int state_claims_add(struct state_claims *claims,
                                                         enum state_name name, int64_t value,
                                                         const struct state_place *place);

/*
 * Whether two claims are for the same value; they stand in *ret_first and
 * *ret_second then, in the order in which they were made. Changes the order of
 * the array.
 */
bool state_claims_collide(struct state_claims *claims, struct state_claim *ret_first,
                          struct state_claim *ret_second);

#endif
