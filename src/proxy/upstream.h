/*
 * An upstream as one worker sees it: its configuration, the state that all
 * workers share, and the connections of this one that wait for a next request.
 */
#ifndef ZOMBIE_PROXY_UPSTREAM_H
#define ZOMBIE_PROXY_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/time.h>

#include "proxy/backend.h"

struct conf_upstream;
struct event_base;

TAILQ_HEAD(backend_list, backend);

struct upstream {
    const struct conf_upstream *conf;
    struct balancer_upstream *balancer;
    struct backend_list idle; /* the one that was used last comes first */
    size_t n_idle;
    struct timeval limits[4];            /* where libevent has no place for one of these: */
    const struct timeval *connect_limit; /* NULL: none */
    const struct timeval *send_limit;
    const struct timeval *read_limit;
    const struct timeval *idle_limit;
};

/* conf and balancer are borrowed for its life. */
void upstream_init(struct upstream *upstream, struct event_base *base,
                   const struct conf_upstream *conf, struct balancer_upstream *balancer);

/* A connection to what was picked that waits for a request; NULL: there is none. */
struct backend *upstream_take(struct upstream *upstream, const struct balancer_pick *pick);

/* Its user is through, and the server would take another request: keep it, or close it. */
void upstream_keep(struct upstream *upstream, struct backend *backend);

/* Close the one that has waited longest; returns whether there is one. */
bool upstream_shed(struct upstream *upstream);

/* Close those that wait. */
void upstream_clear(struct upstream *upstream);

#endif
