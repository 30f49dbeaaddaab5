/*
 * The servers of upstreams that a registry names: put to the balancer, with their names to be
 * looked up.
 */
#ifndef ZOMBIE_HERALD_FOUND_H
#define ZOMBIE_HERALD_FOUND_H

#include <stddef.h>

#include "discovery/member.h"

struct balancer;
struct conf;
struct event_base;
struct found;
struct names;

struct found_settings {
    struct event_base *base;
    const struct conf *conf;
    struct balancer *balancer;
    struct names *names;
    void (*changed)(void *arg); /* the balancer knows of servers that may be new */
    void *arg;
};

/* All of it is borrowed. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int found_new(const struct found_settings *settings,
                                                  struct found **ret_found);

/* The members of a service are these now; one without an upstream is none of its business. */
void found_take(struct found *found, const char *service, const struct member *members, size_t n);

/* NULL is fine. */
void found_free(struct found *found);

#endif
