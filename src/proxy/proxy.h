/*
 * What a worker needs to pass requests on: its upstreams, and memory that is
 * used again and again. One for a worker; the handler `proxy` finds it by
 * request_context().
 */
#ifndef ZOMBIE_PROXY_PROXY_H
#define ZOMBIE_PROXY_PROXY_H

#include "http/handlers/handler.h"

struct balancer;
struct conf;
struct event_base;
struct proxy;

/* Everything is borrowed for the proxy's life. */
struct proxy_settings {
    struct event_base *base;
    const struct conf *conf;
    struct balancer *balancer;
    unsigned place; /* of this process, for balancer.h */
};

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int proxy_new(const struct proxy_settings *settings,
                                                  struct proxy **ret_proxy);

/* No request is in flight. NULL is fine. */
void proxy_free(struct proxy *proxy);

/* `handler = proxy` of a route. */
extern const struct handler handler_proxy;

#endif
