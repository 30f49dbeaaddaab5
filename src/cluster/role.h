/*
 * The roles of children, and the numbers of their slots: workers have 1 to
 * CONF_WORKERS_MAX, each other role one number after those.
 */
#ifndef ZOMBIE_CLUSTER_ROLE_H
#define ZOMBIE_CLUSTER_ROLE_H

#include <stdbool.h>

#include "conf/conf.h"

enum role { ROLE_WORKER, ROLE_ADMIN, ROLE_HERALD, ROLES };

/* How many numbers there are. */
#define ROLE_NUMBERS (CONF_WORKERS_MAX + ROLES - 1)

/* The role of a slot with this number, 1..ROLE_NUMBERS. */
enum role role_of(unsigned number);

/* The number of a role's only slot; not for ROLE_WORKER. */
unsigned role_number(enum role role);

/* "worker", "admin", "herald". */
const char *role_name(enum role role);

/* The role of this name. Returns 0, or -EINVAL. */
__attribute__((warn_unused_result)) int role_find(const char *name, enum role *ret_role);

/* Why there may be no child of a role, as a part of a sentence; not for ROLE_WORKER. */
const char *role_absence(enum role role);

/* Which numbers are to be filled. */
struct roll {
    unsigned workers; /* 1..workers */
    bool roles[ROLES];
};

struct roll roll_make(const struct conf *conf, unsigned workers);

/* The number after this one on the roll, beginning after 0; 0: it was the last. */
unsigned roll_next(const struct roll *roll, unsigned number);

/* Whether this number, 0 for none, is on it. */
bool roll_has(const struct roll *roll, unsigned number);

unsigned roll_count(const struct roll *roll);

#endif
