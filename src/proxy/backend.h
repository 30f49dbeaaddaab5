/*
 * One connection of a worker to a server of an upstream: a socket that does not
 * block, what it is watched for, and one time limit. Whoever uses it is told
 * what happens by callbacks; while nobody does it may wait in upstream.h's list.
 */
#ifndef ZOMBIE_PROXY_BACKEND_H
#define ZOMBIE_PROXY_BACKEND_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/time.h>

#include <event2/event_struct.h>

#include "proxy/balancer.h"

struct event_base;
struct upstream;

/* What its user is told. Each may close the backend. */
struct backend_calls {
    void (*readable)(void *arg); /* there are bytes, or the end, or an error */
    void (*writable)(void *arg); /* it is connected, or could not be, or takes more */
    void (*late)(void *arg);     /* the time limit is over */
};

struct backend {
    TAILQ_ENTRY(backend) entry; /* in its upstream's list, while nobody uses it */
    struct upstream *upstream;  /* for upstream.c */
    int fd;
    unsigned peer; /* which server; see balancer.h */
    uint32_t incarnation;
    unsigned long n_requests; /* that were begun on it */
    const struct backend_calls *calls;
    void *arg;
    bool reads; /* is watched for */
    bool writes;
    struct event read;
    struct event write;
    struct event timer;
};

/*
 * Begin to connect to what was picked; its user is told `writable` when that is decided, unless
 * *ret_is_connected says that it is connected already. Returns 0 or -errno: it failed at once.
 */
__attribute__((warn_unused_result)) int backend_connect(struct event_base *base,
                                                        const struct balancer_pick *pick,
                                                        struct backend **ret_backend,
                                                        bool *ret_is_connected);

/* How connecting has ended: 0 or -errno. */
__attribute__((warn_unused_result)) int backend_connected(const struct backend *backend);

/* Whether nothing has come, no end either, on one that waits for a request. */
bool backend_is_quiet(const struct backend *backend);

/* Who uses it from now on. */
void backend_use(struct backend *backend, const struct backend_calls *calls, void *arg);

/* Whether it is watched for bytes that come, or for room for bytes that go. 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int backend_watch(struct backend *backend, bool reads,
                                                      bool writes);

/* Tell `late` in that time, as event_base_init_common_timeout() gave it; NULL: never. */
void backend_limit(struct backend *backend, const struct timeval *limit);

/* Close and free; NULL is fine. It is in no list. */
void backend_close(struct backend *backend);

#endif
