#include "config.h"

#include "http/drain.h"

#include <errno.h>

#include <event2/event.h>

#include "base/clock.h"
#include "http/account.h"
#include "http/listener.h"
#include "http/server_state.h"

/* A queue that never gets empty is left to others after this time: to retries, or to siblings. */
#define LAST_QUEUE_MS 1000
#define QUEUE_MS      50

/*
 * The way of a drain; each step runs in the loop, never while a connection is held:
 *
 *   delay_ms: accepting ─► queue: what waits is taken ─► closed ─► idle
 *   connections get idle_ms for one more request ─► none left ─► done
 *
 * A worker that has siblings empties the queue, too: the kernel may have woken
 * this one, and nobody else, for a connection that is in it.
 */
static void again_in(struct http_server *server, int64_t ms)
{
    struct timeval delay = {ms / 1000, ms % 1000 * 1000};
    event_add(server->drain_step, &delay);
}

static bool queue_waits(struct http_server *server, int64_t now_ms)
{
    bool waits = false;
    int64_t patience_ms = server->drain.last ? LAST_QUEUE_MS : QUEUE_MS;
    if (now_ms >= server->close_at_ms + patience_ms)
        return false;
    for (size_t i = 0; i < server->n_listeners; i++)
        waits |= http_listener_empty_queue(server->listeners[i]);
    return waits;
}

static void close_listeners(struct http_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++)
        http_listener_close(server->listeners[i]);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    if (now_ms < server->close_at_ms) {
        again_in(server, server->close_at_ms - now_ms);
        return;
    }
    server->closing = true;
    if (queue_waits(server, now_ms)) {
        again_in(server, 1);
        return;
    }
    close_listeners(server);
    int64_t idle_ms = server->drain.idle_ms;
    int64_t oldest_ms = connections_close_idle(server, now_ms - idle_ms + 1, server->close_at_ms);
    if (server->n_connections == 0 && server->n_lingers == 0) {
        event_del(server->drain_step);
        server->drain.done(server->drain.arg);
    } else if (oldest_ms != INT64_MAX) {
        int64_t wait_ms = oldest_ms + idle_ms - now_ms;
        again_in(server, wait_ms > 1 ? wait_ms : 1);
    }
}

int drain_init(struct http_server *server)
{
    server->drain_step = event_new(server->settings.base, -1, 0, on_step, server);
    return server->drain_step != NULL ? 0 : -ENOMEM;
}

void http_server_drain(struct http_server *server, const struct http_drain *drain)
{
    int64_t now_ms = clock_now_ms();
    int64_t close_at_ms = now_ms + drain->delay_ms;
    if (!server->draining || close_at_ms < server->close_at_ms)
        server->close_at_ms = close_at_ms;
    server->draining = true;
    server->drain = *drain;
    account_flush(server); /* who does not finish in time is killed */
    drain_soon(server);
}

void drain_soon(struct http_server *server)
{
    if (server->draining)
        event_active(server->drain_step, EV_TIMEOUT, 0);
}

void drain_clear(struct http_server *server)
{
    if (server->drain_step != NULL)
        event_free(server->drain_step);
}
