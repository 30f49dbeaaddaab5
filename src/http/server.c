#include "config.h"

#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "http/account.h"
#include "http/attributes.h"
#include "http/crowd.h"
#include "http/deadline.h"
#include "http/drain.h"
#include "http/linger.h"
#include "http/listener.h"
#include "http/router.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

/* A connection that makes room for another has been idle at least this long. */
#define IDLE_FOR_ROOM_MS 1000

void server_connection_left(struct http_server *server)
{
    scoreboard_count_connections(server->settings.scoreboard, server->n_connections);
    for (size_t i = 0; i < server->n_listeners; i++)
        http_listener_resume(server->listeners[i]);
    drain_soon(server);
}

static bool is_full(const struct http_server *server)
{
    return server->n_connections + server->n_lingers >= server->max_connections;
}

static bool is_any(const struct http_server *server,
                   bool (*is_so)(const struct http_listener *listener))
{
    for (size_t i = 0; i < server->n_listeners; i++)
        if (is_so(server->listeners[i]))
            return true;
    return false;
}

/* Returns whether there was one that has been idle for long enough. */
static bool close_oldest_idle(struct http_server *server)
{
    struct connection *oldest = TAILQ_FIRST(&server->phases[CONNECTION_IDLE]);
    if (oldest == NULL || oldest->since_ms > clock_now_ms() - IDLE_FOR_ROOM_MS)
        return false;
    connection_close(oldest);
    return true;
}

void server_make_room(struct http_server *server)
{
    if (!is_full(server) || !is_any(server, http_listener_is_held))
        return;
    /* Who comes later is not noticed by a listener that is held, so look again. */
    if (!is_any(server, http_listener_waits) || !close_oldest_idle(server))
        deadline_for_room(server);
}

static bool has_room(void *arg)
{
    struct http_server *server = arg;
    if (!is_full(server))
        return true;
    limit_hit(&server->limits, LIMIT_CONNECTIONS, "",
              "new connections wait until one is closed or idle");
    server_make_room(server);
    return !is_full(server);
}

static bool is_shared(void *arg)
{
    const struct http_server_settings *settings = &((struct http_server *)arg)->settings;
    return settings->is_shared != NULL && settings->is_shared(settings->arg);
}

static void on_connected(int fd, const struct address *peer, void *arg)
{
    connection_accept(arg, fd, peer);
}

static void on_accept_failed(int error, void *arg)
{
    struct http_server *server = arg;
    char what[128];
    snprintf(what, sizeof what, "accept: %s, trying again in %d ms", strerror(error),
             LISTENER_RETRY_MS);
    limit_hit(&server->limits, LIMIT_DESCRIPTORS, "", what);
    (void)close_oldest_idle(server);
}

/* Besides listeners and connections. */
#define SPARE_FDS 32

static size_t count_descriptors_each(const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_routes; i++)
        if (conf->routes[i].handler->opens_files)
            return 2;
    return 1;
}

size_t http_server_descriptors(const struct conf *conf)
{
    size_t each = count_descriptors_each(conf);
    return each * (size_t)conf->http.max_connections + conf->n_listens + SPARE_FDS;
}

/* What the configuration allows, and no more than there are descriptors for. */
static size_t count_connections(const struct conf *conf)
{
    struct rlimit limit;
    size_t max = (size_t)conf->http.max_connections;
    size_t others = conf->n_listens + SPARE_FDS, each = count_descriptors_each(conf);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= others + each * max)
        return max;
    return limit.rlim_cur > others + each ? (limit.rlim_cur - others) / each : 1;
}

static void set_limits(struct http_server *server)
{
    const struct conf_http *http = &server->settings.conf->http;
    server->limits.scoreboard = server->settings.scoreboard;
    server->head_limits = (struct head_limits){.bytes = (size_t)http->max_header_bytes,
                                               .uri = (size_t)http->max_uri_bytes,
                                               .fields = (size_t)http->max_headers};
    server->read_ahead = (size_t)http->max_header_bytes;
    server->redirect_size = ROUTER_REDIRECT_SIZE((size_t)http->max_uri_bytes);
    server->max_connections = count_connections(server->settings.conf);
}

static int allocate(struct http_server *server)
{
    server->scratch = malloc(SCRATCH_BYTES);
    server->redirect = malloc(server->redirect_size);
    server->crowd = crowd_new();
    return server->scratch != NULL && server->redirect != NULL && server->crowd != NULL ? 0
                                                                                        : -ENOMEM;
}

/* Each step stands on those before it. */
static int set_up(struct http_server *server)
{
    int err = allocate(server);
    if (err == 0)
        err = trace_random_seed(&server->trace_random);
    if (err == 0)
        err = deadline_init(server);
    if (err == 0)
        err = drain_init(server);
    if (err == 0)
        err = account_init(server);
    if (err == 0)
        err = attributes_new(server->settings.conf, &server->attributes);
    return err == 0 ? router_new(server->settings.conf, &server->router) : err;
}

int http_server_new(const struct http_server_settings *settings, struct http_server **ret_server)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return -ENOMEM;
    server->settings = *settings;
    for (int phase = 0; phase < CONNECTION_PHASES; phase++)
        TAILQ_INIT(&server->phases[phase]);
    LIST_INIT(&server->lingers);
    set_limits(server);
    int err = set_up(server);
    if (err != 0) {
        http_server_free(server);
        return err;
    }
    *ret_server = server;
    return 0;
}

int http_server_accept(struct http_server *server, const int *listeners, size_t n)
{
    int err = 0;
    server->listeners = calloc(n, sizeof(struct http_listener *));
    if (server->listeners == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n && err == 0; i++) {
        struct http_listener_settings settings = {
            .base = server->settings.base,
            .fd = listeners[i],
            .connected = on_connected,
            .has_room = has_room,
            .is_shared = is_shared,
            .failed = on_accept_failed,
            .arg = server,
        };
        err = http_listener_new(&settings, &server->listeners[i]);
        server->n_listeners += err == 0;
    }
    return err;
}

void http_server_move_access_log(struct http_server *server, int fd)
{
    account_move(server, fd);
}

void http_server_flush(struct http_server *server)
{
    account_flush(server);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    size_t n = server->n_listeners;
    server->n_listeners = 0; /* closing connections is no reason to accept again */
    for (size_t i = 0; i < n; i++)
        http_listener_free(server->listeners[i]);
    connections_clear(server);
    linger_clear(server);
    account_clear(server);
    attributes_free(server->attributes, server->settings.conf);
    router_free(server->router);
    crowd_free(server->crowd);
    deadline_clear(server);
    drain_clear(server);
    bytes_free(&server->head);
    free(server->listeners);
    free(server->redirect);
    free(server->scratch);
    free(server);
}
