#include "config.h"

#include "http/exchange.h"

#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "http/account.h"
#include "http/attributes.h"
#include "http/connection.h"
#include "http/dispatch.h"
#include "http/drain.h"
#include "http/intake.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

/* The answer to this request is the last one here, because of a limit. */
static void end_by(struct connection *connection, enum http_limit limit)
{
    connection->last = true;
    limit_hit(&connection->server->limits, limit, connection_client(connection),
              "closing after the next answer");
}

void exchange_begin(struct connection *connection, const char *bytes)
{
    const struct head *head = &connection->head;
    const struct conf_http *http = &connection->server->settings.conf->http;
    int64_t age_ms = connection->begun_ms - connection->accepted_ms;
    struct http_request *request = &connection->request;
    *request = (struct http_request){.connection = connection,
                                     .server = connection->server,
                                     .head = bytes,
                                     .received = head->len,
                                     .begun_us = connection->head_us};
    connection->n_requests++;
    connection->last = !head->keep_alive;
    if (http->keepalive_requests > 0 &&
        connection->n_requests >= (uint64_t)http->keepalive_requests)
        end_by(connection, LIMIT_KEEPALIVE_REQUESTS);
    else if (http->keepalive_total_ms > 0 && age_ms >= http->keepalive_total_ms)
        end_by(connection, LIMIT_KEEPALIVE_TOTAL);
    dispatch_target(request);
}

static void count_pipelined(struct connection *connection, bool more)
{
    const struct conf_http *http = &connection->server->settings.conf->http;
    connection->request.pipelined = connection->n_pipelined > 0;
    connection->n_pipelined = more ? connection->n_pipelined + 1 : 0;
    if (connection->n_pipelined >= (unsigned)http->max_pipelined)
        end_by(connection, LIMIT_PIPELINED);
}

int exchange_keep_head(struct connection *connection)
{
    struct http_request *request = &connection->request;
    const struct head *head = &connection->head;
    if (request->head == connection->kept.at)
        return 0;
    bytes_clear(&connection->kept);
    bytes_add(&connection->kept, request->head, head->len);
    if (connection->kept.failed)
        return -ENOMEM;
    request_move(request, connection->kept.at);
    return 0;
}

/* The answer is not out yet, and the bytes that the head came in are about to be used again. */
static void keep_head_of_pending(struct connection *connection)
{
    const struct http_request *request = &connection->request;
    if (connection->gone || request->connection == NULL || request->head == NULL)
        return;
    if (exchange_keep_head(connection) != 0)
        connection_close(connection);
}

/* A handler that neither has answered nor waits for something would never answer. */
static bool is_forgotten(const struct connection *connection)
{
    const struct http_request *request = &connection->request;
    return !connection->gone && request->connection != NULL && !request->answered &&
           request->gone == NULL &&
           (request->wait == NULL || !event_pending(request->wait, EV_TIMEOUT, NULL));
}

/* The route's timeout: whoever waits is told so; an answer that has begun goes on. */
static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    struct http_request *request = &connection->request;
    (void)fd;
    (void)what;
    if (request->answered)
        return;
    connection_hold(connection);
    if (connection->phase == CONNECTION_BODY || connection->streams)
        connection_take_no_more(connection);
    request_tell_gone(request);
    const char *text = request_route(request)->timeout_text;
    struct reply reply = {
        .status = 503, .type = "text/plain; charset=utf-8", .body = text, .len = strlen(text)};
    reply_send(request, &reply);
    connection_release(connection);
}

static void start_timeout(struct http_request *request)
{
    const struct conf_route *route = request_route(request);
    if (route == NULL || route->timeout_ms == 0 || request->deadline != NULL)
        return;
    struct timeval delay = {route->timeout_ms / 1000, route->timeout_ms % 1000 * 1000};
    request->deadline =
        event_new(request->server->settings.base, -1, 0, on_timeout, request->connection);
    if (request->deadline != NULL)
        event_add(request->deadline, &delay);
}

uint64_t exchange_body_max(struct connection *connection)
{
    struct http_request *request = &connection->request;
    const struct conf_http *http = &connection->server->settings.conf->http;
    dispatch_find_route(request);
    const struct conf_route *route = request_route(request);
    start_timeout(request);
    return route != NULL && route->max_body != CONF_INHERIT ? (uint64_t)route->max_body
                                                            : (uint64_t)http->max_body_bytes;
}

/* Whoever dies of a request shall be able to say whose it was. */
static void note(struct connection *connection)
{
    struct http_request *request = &connection->request;
    char target[SCOREBOARD_PATH_SIZE];
    size_t len = request->target.len < sizeof target ? request->target.len : sizeof target - 1;
    memcpy(target, request->head + request->target.at, len);
    target[len] = '\0';
    struct scoreboard_request noted = {request_method(request), target,
                                       connection_client(connection), connection->begun_ms};
    scoreboard_begin(connection->server->settings.scoreboard, &noted);
    request->noted = true;
}

void exchange_serve(struct connection *connection, bool more)
{
    struct http_request *request = &connection->request;
    count_pipelined(connection, more);
    connection_enter(connection, CONNECTION_ANSWERING, clock_now_ms());
    note(connection);
    dispatch_find_route(request);
    start_timeout(request);
    dispatch(request);
    if (is_forgotten(connection))
        reply_error(request, 500, "there is no answer");
    keep_head_of_pending(connection);
}

void exchange_refuse(struct connection *connection, int status, const char *detail)
{
    struct http_request *request = &connection->request;
    if (request->connection == NULL)
        *request = (struct http_request){
            .connection = connection, .server = connection->server, .begun_us = clock_now_us()};
    if (request->answered) {
        connection_break(connection);
        return;
    }
    connection_hold(connection);
    request_tell_gone(request);
    reply_error(request, status, detail);
    keep_head_of_pending(connection);
    connection_release(connection);
}

void exchange_open_tunnel(struct connection *connection)
{
    connection->streams = true;
    connection->tunnel = true;
    connection->invited = true;
}

/* The order is carried out, and said who gave it. */
static void die(struct connection *connection, enum chaos_mode mode, uint32_t after_ms)
{
    struct http_server *server = connection->server;
    account_flush(server);
    server->settings.die(mode, after_ms, connection_client(connection), server->settings.arg);
}

/* The request is over, answered or not. */
static void end(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct http_request *request = &connection->request;
    bool doomed = request->doomed;
    enum chaos_mode mode = request->mode;
    uint32_t after_ms = request->after_ms;
    account(connection);
    if (request->noted)
        scoreboard_end(server->settings.scoreboard);
    request_clear(request);
    server->body_bytes -= connection->body.len;
    bytes_free(&connection->body);
    bytes_free(&connection->kept);
    bytes_free(&connection->trailers);
    connection->streams = false;
    connection->wants = false;
    connection->tunnel = false;
    if (doomed)
        die(connection, mode, after_ms);
}

/* Besides what it was answered. */
static bool may_have_sent_more(const struct connection *connection)
{
    return connection->in.len > 0 || connection->n_pipelined > 0 ||
           connection->head.framing != HEAD_NO_BODY;
}

static void finish(struct connection *connection)
{
    connection->last |= connection->streams; /* who knows where the next request begins? */
    end(connection);
    if (connection->last) {
        connection->lingers |= may_have_sent_more(connection);
        connection_close(connection);
        return;
    }
    event_del(&connection->write);
    connection_enter(connection, CONNECTION_IDLE, clock_now_ms());
    if (connection->server->draining)
        drain_soon(connection->server);
    intake_resume(connection);
}

void exchange_sent(struct connection *connection, enum output_state state)
{
    connection_hold(connection);
    switch (state) {
    case OUTPUT_DONE:
        finish(connection);
        break;
    case OUTPUT_BLOCKED:
        if (connection->phase != CONNECTION_SENDING)
            connection_enter(connection, CONNECTION_SENDING, clock_now_ms());
        if (event_add(&connection->write, NULL) != 0)
            connection_close(connection);
        break;
    case OUTPUT_WAITING:
        if (connection->phase != CONNECTION_ANSWERING)
            connection_enter(connection, CONNECTION_ANSWERING, clock_now_ms());
        event_del(&connection->write);
        break;
    case OUTPUT_BROKEN:
        connection_break(connection);
        break;
    }
    connection_release(connection);
}

void exchange_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    (void)what;
    connection_hold(connection);
    exchange_sent(connection, output_pump(&connection->output, fd, &connection->request.sent));
    connection_release(connection);
}

void exchange_abandon(struct connection *connection)
{
    if (connection->request.connection == NULL)
        return;
    request_tell_gone(&connection->request);
    end(connection);
}
