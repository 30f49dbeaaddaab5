#include "config.h"

#include "proxy/upstream.h"

#include <stdint.h>

#include <event2/event.h>

#include "conf/conf.h"

/* Timers of one length share a list in libevent, which costs less than its heap. */
static const struct timeval *limit_of(struct event_base *base, long ms, struct timeval *own)
{
    *own = (struct timeval){ms / 1000, ms % 1000 * 1000};
    const struct timeval *shared = ms > 0 ? event_base_init_common_timeout(base, own) : NULL;
    return shared != NULL || ms == 0 ? shared : own; /* there are 256 such lists */
}

void upstream_init(struct upstream *upstream, struct event_base *base,
                   const struct conf_upstream *conf, struct balancer_upstream *balancer)
{
    *upstream = (struct upstream){
        .conf = conf,
        .balancer = balancer,
    };
    struct timeval *limits = upstream->limits;
    upstream->connect_limit = limit_of(base, conf->connect_timeout_ms, &limits[0]);
    upstream->send_limit = limit_of(base, conf->send_timeout_ms, &limits[1]);
    upstream->read_limit = limit_of(base, conf->read_timeout_ms, &limits[2]);
    upstream->idle_limit = limit_of(base, conf->keepalive_idle_ms, &limits[3]);
    TAILQ_INIT(&upstream->idle);
}

static void drop(struct upstream *upstream, struct backend *backend)
{
    TAILQ_REMOVE(&upstream->idle, backend, entry);
    upstream->n_idle--;
    backend_close(backend);
}

/* The server closes, or says something that nobody has asked for; or it was idle for too long. */
static void on_over(void *arg)
{
    struct backend *backend = arg;
    drop(backend->upstream, backend);
}

static const struct backend_calls idle_calls = {on_over, on_over, on_over};

static struct backend *find(struct upstream *upstream, const struct balancer_pick *pick)
{
    struct backend *backend;
    for (backend = TAILQ_FIRST(&upstream->idle); backend != NULL;
         backend = TAILQ_NEXT(backend, entry))
        if (backend->peer == pick->peer && backend->incarnation == pick->incarnation)
            return backend;
    return NULL;
}

/* One that the server has closed, or has said more on than it was asked, is of no use. */
struct backend *upstream_take(struct upstream *upstream, const struct balancer_pick *pick)
{
    struct backend *backend = find(upstream, pick);
    while (backend != NULL && !backend_is_quiet(backend)) {
        drop(upstream, backend);
        backend = find(upstream, pick);
    }
    if (backend == NULL)
        return NULL;
    TAILQ_REMOVE(&upstream->idle, backend, entry);
    upstream->n_idle--;
    backend_limit(backend, NULL);
    return backend;
}

void upstream_keep(struct upstream *upstream, struct backend *backend)
{
    const struct conf_upstream *conf = upstream->conf;
    bool is_used_up = conf->keepalive_requests > 0 &&
                      backend->n_requests >= (unsigned long)conf->keepalive_requests;
    if (conf->keepalive == 0 || is_used_up || backend_watch(backend, true, false) != 0) {
        backend_close(backend);
        return;
    }
    if (upstream->n_idle >= (size_t)conf->keepalive)
        drop(upstream, TAILQ_LAST(&upstream->idle, backend_list));
    backend->upstream = upstream;
    backend_use(backend, &idle_calls, backend);
    backend_limit(backend, upstream->idle_limit);
    TAILQ_INSERT_HEAD(&upstream->idle, backend, entry);
    upstream->n_idle++;
}

bool upstream_shed(struct upstream *upstream)
{
    struct backend *oldest = TAILQ_LAST(&upstream->idle, backend_list);
    if (oldest != NULL)
        drop(upstream, oldest);
    return oldest != NULL;
}

void upstream_clear(struct upstream *upstream)
{
    while (!TAILQ_EMPTY(&upstream->idle))
        drop(upstream, TAILQ_FIRST(&upstream->idle));
}
