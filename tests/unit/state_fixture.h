/*
 * Two states with their texts, and the one way to be refused, for the tests of
 * cluster/state.h.
 */
#ifndef ZOMBIE_TESTS_STATE_FIXTURE_H
#define ZOMBIE_TESTS_STATE_FIXTURE_H

#include <stddef.h>

#include "cluster/state.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Of both texts. */
#define STATE_LAYOUTS 7

/* Four workers, one of them the admin child; four sockets, three deaths, two events; each member
 * has a value of its own where its type has enough of them. */
extern const struct state state_full;
/* No member has more than it must. */
extern const struct state state_empty;

/* Their texts, with ' for ". */
extern const char state_full_text[];
extern const char state_empty_text[];

/* A text with its quotes, without a byte to spare or a NUL; for the caller to test_free(). */
char *state_quoted(const char *text, size_t *ret_len);

/* What state_encode() writes; for the caller to free(3). */
char *state_text(const struct state *state);

/* Fail unless the text is refused so, with nothing filled in. A NULL error may be any. */
void state_check_refused(const char *text, size_t len, int result, const char *error);

#endif
