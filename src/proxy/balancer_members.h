/*
 * Who the members of an upstream are: made aside from its servers and what
 * their names stand for, then put in place at once.
 */
#ifndef ZOMBIE_PROXY_BALANCER_MEMBERS_H
#define ZOMBIE_PROXY_BALANCER_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/balancer_state.h"

/* What a name stands for. */
struct answer {
    const char *title; /* of the servers that it is for; NULL: there is no answer */
    const struct address *addresses;
    size_t n;
};

/*
 * With the lock: make anew who is a member. Names other than the answer's keep the
 * addresses they have. Returns 0, or -ENOSPC with as many as fit.
 */
__attribute__((warn_unused_result)) int members_renew(struct shared_upstream *shared,
                                                      const struct answer *answer, int64_t now_ms);

/* With the lock: there are none, and who was one is not known again. */
void members_clear(struct shared_upstream *shared);

#endif
