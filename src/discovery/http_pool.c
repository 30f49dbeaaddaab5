#include "config.h"

#include "discovery/http_pool.h"

#include <stdlib.h>
#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "discovery/tls_client.h"

struct http_pool {
    struct http_pool_settings settings;
    LIST_HEAD(leases, http_lease) idle; /* the one that came last in front */
    size_t n_idle;
};

/* evhttp would end a stream that is silent for 50 s. Calls have their own deadlines. */
static const struct timeval no_timeout = {.tv_sec = 365 * 24 * 3600};

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct http_lease *lease = arg;
    lease->n_read += info->n_added;
    if (!lease->is_idle && evbuffer_get_length(input) > lease->input_max)
        lease->flood(lease->arg);
}

/* evhttp writes nothing before there is a connection, handshake included. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
    struct http_lease *lease = arg;
    (void)output;
    lease->is_open = lease->is_open || info->n_added > 0;
}

static void on_closed(struct evhttp_connection *connection, void *arg)
{
    struct http_lease *lease = arg;
    (void)connection;
    lease->is_closed = true;
    if (lease->is_idle) /* evhttp, which calls this, goes on with it */
        event_active(lease->timer, EV_TIMEOUT, 0);
}

static void leave_pool(struct http_lease *lease)
{
    LIST_REMOVE(lease, entry);
    lease->pool->n_idle--;
    lease->is_idle = false;
}

static void drop_idle(struct http_lease *lease)
{
    leave_pool(lease);
    http_lease_drop(lease);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    drop_idle(arg);
}

static struct bufferevent *new_bufferevent(const struct http_pool_settings *settings)
{
    if (settings->tls != NULL)
        return tls_client_bufferevent(settings->tls, settings->base, settings->host);
    return bufferevent_socket_new(settings->base, -1, BEV_OPT_CLOSE_ON_FREE);
}

static int connection_new(struct http_lease *lease)
{
    const struct http_pool_settings *settings = &lease->pool->settings;
    lease->bev = new_bufferevent(settings);
    if (lease->bev == NULL)
        return -1;
    lease->connection = evhttp_connection_base_bufferevent_new(
        settings->base, settings->dns, lease->bev, settings->host, (uint16_t)settings->port);
    if (lease->connection == NULL) {
        bufferevent_free(lease->bev);
        return -1;
    }
    lease->input_cb = evbuffer_add_cb(bufferevent_get_input(lease->bev), on_input, lease);
    lease->output_cb = evbuffer_add_cb(bufferevent_get_output(lease->bev), on_output, lease);
    evhttp_connection_set_max_headers_size(lease->connection, (ev_ssize_t)settings->head_max);
    evhttp_connection_set_timeout_tv(lease->connection, &no_timeout);
    evhttp_connection_set_closecb(lease->connection, on_closed, lease);
    return lease->input_cb != NULL && lease->output_cb != NULL ? 0 : -1;
}

static struct http_lease *lease_new(struct http_pool *pool)
{
    struct http_lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL)
        return NULL;
    lease->pool = pool;
    lease->timer = event_new(pool->settings.base, -1, 0, on_timer, lease);
    if (lease->timer == NULL || connection_new(lease) != 0) {
        http_lease_drop(lease);
        return NULL;
    }
    return lease;
}

static struct http_lease *take_idle(struct http_pool *pool)
{
    struct http_lease *lease = LIST_FIRST(&pool->idle);
    while (lease != NULL && lease->is_closed)
        lease = LIST_NEXT(lease, entry);
    if (lease == NULL)
        return NULL;
    leave_pool(lease);
    event_del(lease->timer);
    lease->was_idle = true;
    lease->n_read = 0;
    return lease;
}

struct http_lease *http_pool_lease(struct http_pool *pool, bool only_new)
{
    struct http_lease *lease = only_new ? NULL : take_idle(pool);
    return lease != NULL ? lease : lease_new(pool);
}

void http_lease_keep(struct http_lease *lease)
{
    static const struct timeval wait = {.tv_sec = HTTP_POOL_IDLE_S};
    struct http_pool *pool = lease->pool;
    if (lease->is_closed || pool->n_idle == HTTP_POOL_IDLE_MAX ||
        event_add(lease->timer, &wait) != 0) {
        http_lease_drop(lease);
        return;
    }
    LIST_INSERT_HEAD(&pool->idle, lease, entry);
    pool->n_idle++;
    lease->is_idle = true;
}

void http_lease_drop(struct http_lease *lease)
{
    if (lease == NULL)
        return;
    if (lease->connection != NULL) {
        /* The bufferevent lives a little longer than this lease. */
        if (lease->input_cb != NULL)
            evbuffer_remove_cb_entry(bufferevent_get_input(lease->bev), lease->input_cb);
        if (lease->output_cb != NULL)
            evbuffer_remove_cb_entry(bufferevent_get_output(lease->bev), lease->output_cb);
        evhttp_connection_set_closecb(lease->connection, NULL, NULL);
        evhttp_connection_free(lease->connection);
    }
    if (lease->timer != NULL)
        event_free(lease->timer);
#ifndef __clang_analyzer__ /* which does not see that nothing leads here any more */
    free(lease);
#endif
}

struct http_pool *http_pool_new(const struct http_pool_settings *settings)
{
    struct http_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->settings = *settings;
    LIST_INIT(&pool->idle);
    return pool;
}

void http_pool_free(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    while (!LIST_EMPTY(&pool->idle))
        drop_idle(LIST_FIRST(&pool->idle));
    free(pool);
}
