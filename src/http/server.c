#include "config.h"

#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>
#include <event2/http.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "http/drain.h"
#include "http/handlers/handler.h"
#include "http/listener.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/router.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

/* A pipelining client that does not read its answers costs no more memory than about this. */
#define READ_AHEAD_MIN 16384

/* The order is carried out, and said who gave it. */
static void die(struct http_request *request)
{
    const struct http_server_settings *settings = &request->server->settings;
    request->doomed = false;
    settings->die(request->mode, request->after_ms, request->client, settings->arg);
}

/* The request is over, answered or not. */
static void finish(struct http_request *request)
{
    scoreboard_end(request->server->settings.scoreboard);
    request->evreq = NULL;
    target_clear(&request->target);
    if (request->doomed)
        die(request);
}

static void on_answered(struct evhttp_request *evreq, void *arg)
{
    struct connection *connection = arg;
    struct http_server *server = connection->request.server;
    (void)evreq;
    connection_answered(connection, clock_now_ms());
    finish(&connection->request);
    drain_soon(server);
}

static void on_closed(struct connection *connection, void *arg)
{
    struct http_server *server = arg;
    if (connection->request.evreq != NULL)
        finish(&connection->request);
    scoreboard_count_connections(server->settings.scoreboard, server->connections.n);
    for (size_t i = 0; i < server->n_listeners; i++)
        http_listener_resume(server->listeners[i]);
    drain_soon(server);
}

static bool has_room(void *arg)
{
    const struct http_server *server = arg;
    return server->connections.n < server->max_connections;
}

static struct bufferevent *on_connected(void *arg)
{
    struct http_server *server = arg;
    struct bufferevent *bev = connections_add(&server->connections);
    scoreboard_count_connections(server->settings.scoreboard, server->connections.n);
    return bev;
}

static void refuse_method(struct http_request *request, const char *methods)
{
    static const char body[] = "405 Method Not Allowed: see the Allow header\n";
    bool asks = strcmp(request_method(request), "OPTIONS") == 0;
    struct reply_header headers[] = {{"Allow", methods}, {NULL, NULL}};
    struct reply reply = {405, "text/plain; charset=utf-8", body, sizeof body - 1, headers};
    if (asks)
        reply = (struct reply){.status = 204, .headers = headers};
    reply_send(request, &reply);
}

static void dispatch(struct http_request *request)
{
    request->route = router_find(request->server->router, request_path(request));
    if (request->route == NULL)
        reply_error(request, 404, "nothing is routed here");
    else if (!router_allows(request->route->handler->methods, request_method(request)))
        refuse_method(request, request->route->handler->methods);
    else
        request->route->handler->serve(request);
}

/* Whoever dies of a request shall be able to say whose it was. */
static void note(const struct http_server *server, struct connection *connection, const char *text)
{
    struct address peer;
    if (connection->client[0] == '\0' && request_peer(&connection->request, &peer) == 0)
        address_format(&peer, connection->client);
    struct scoreboard_request request = {request_method(&connection->request), text,
                                         connection->client, clock_now_ms()};
    scoreboard_begin(server->settings.scoreboard, &request);
}

static void on_request(struct evhttp_request *evreq, void *arg)
{
    struct http_server *server = arg;
    struct connection *connection =
        connections_find(&server->connections, evhttp_request_get_connection(evreq));
    if (connection == NULL) {
        evhttp_send_error(evreq, 503, NULL);
        return;
    }
    struct http_request *request = &connection->request;
    const char *text = evhttp_request_get_uri(evreq);
    *request = (struct http_request){.evreq = evreq, .connection = connection, .server = server};
    note(server, connection, text);
    evhttp_request_set_on_complete_cb(evreq, on_answered, connection);
    if (target_parse(text, &request->target) != 0)
        reply_error(request, 400, "the request target is no path");
    else
        dispatch(request);
}

/* Besides listeners and connections. */
#define SPARE_FDS 32

size_t http_server_descriptors(const struct conf *conf)
{
    return (size_t)conf->http.max_connections + conf->n_listens + SPARE_FDS;
}

/* What the configuration allows, and no more than there are descriptors for. */
static size_t count_connections(const struct conf *conf)
{
    struct rlimit limit;
    size_t max = (size_t)conf->http.max_connections;
    size_t needed = http_server_descriptors(conf);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return max;
    size_t missing = needed - limit.rlim_cur;
    return missing < max ? max - missing : 1;
}

int http_server_new(const struct http_server_settings *settings, struct http_server **ret_server)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return -ENOMEM;
    server->settings = *settings;
    server->max_connections = count_connections(settings->conf);
    connections_init(&server->connections, settings->base,
                     READ_AHEAD_MIN + 2 * (size_t)settings->conf->http.max_header_bytes,
                     (size_t)settings->conf->http.max_body_bytes, on_closed, server);
    if (drain_init(server) != 0 || router_new(settings->conf, &server->router) != 0) {
        http_server_free(server);
        return -ENOMEM;
    }
    *ret_server = server;
    return 0;
}

int http_server_accept(struct http_server *server, const int *listeners, size_t n)
{
    const struct conf_http *http = &server->settings.conf->http;
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
            .request = on_request,
            .arg = server,
            .keepalive_ms = http->keepalive_ms,
            .max_header_bytes = http->max_header_bytes,
            .max_body_bytes = http->max_body_bytes,
        };
        err = http_listener_new(&settings, &server->listeners[i]);
        server->n_listeners += err == 0;
    }
    return err;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    size_t n = server->n_listeners;
    server->n_listeners = 0; /* closing connections is no reason to accept again */
    for (size_t i = 0; i < n; i++)
        http_listener_free(server->listeners[i]);
    connections_clear(&server->connections);
    free(server->listeners);
    router_free(server->router);
    drain_clear(server);
    free(server);
}
