/*
 * How many connections each client address has.
 */
#ifndef ZOMBIE_HTTP_CROWD_H
#define ZOMBIE_HTTP_CROWD_H

#include <stddef.h>

struct address;
struct crowd;

/* Empty. NULL when memory is short. */
struct crowd *crowd_new(void);

/*
 * One more of this address, whatever its port; an IPv4-mapped IPv6 address is
 * the IPv4 one, and all addresses of an IPv6 network (/64) are one client. Returns 0; -EBUSY when
 * there are `most` already; -ENOENT when the address is none that can be counted (a unix socket's);
 * -ENOMEM. Only after 0 there is something to leave.
 */
__attribute__((warn_unused_result)) int crowd_enter(struct crowd *crowd,
                                                    const struct address *address, size_t most);

/* One less. */
void crowd_leave(struct crowd *crowd, const struct address *address);

/* Free; NULL is fine. */
void crowd_free(struct crowd *crowd);

#endif
