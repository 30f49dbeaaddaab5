/*
 * What the tests of choices share: some peers, called a, b, c and so on.
 */
#ifndef ZOMBIE_TESTS_CHOICE_FIXTURE_H
#define ZOMBIE_TESTS_CHOICE_FIXTURE_H

#include "proxy/choice.h"

#define FIELD_PEERS 8

struct field {
    struct peer peers[FIELD_PEERS];
    uint8_t order[FIELD_PEERS];
    struct peer_set tried;
    uint64_t random;
    struct choice choice;
};

/* Begin with a peer for each digit, its weight: "511" are a with 5, b and c with 1. */
void field_fill(struct field *field, int balance, const char *weights);

/* Add one more; backups last. */
void field_add(struct field *field, struct conf_server rule);

/* A letter, or '-' for nobody. */
char field_choose(struct field *field, int64_t now_ms);

/* The letters of as many choices. */
void field_assert_sequence(struct field *field, int64_t now_ms, const char *wanted);

#endif
