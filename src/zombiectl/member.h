/*
 * Members of JSON objects that another process has sent: whatever is missing or
 * of another type is taken for absent.
 */
#ifndef ZOMBIE_ZOMBIECTL_MEMBER_H
#define ZOMBIE_ZOMBIECTL_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* The text, or otherwise `absent`; borrowed. */
const char *member_text(const json_t *object, const char *key, const char *absent);

/* Whether there is a whole number, which goes to *ret_value. */
bool member_int(const json_t *object, const char *key, int64_t *ret_value);

/* The same for any number. */
bool member_real(const json_t *object, const char *key, double *ret_value);

/* Whether it is there and true. */
bool member_is_true(const json_t *object, const char *key);

#endif
