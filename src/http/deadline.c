#include "config.h"

#include "http/deadline.h"

#include <errno.h>

#include <event2/event.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "http/intake.h"
#include "http/server_state.h"

/* Before this no rate is judged: starting takes its time. */
#define RATE_GRACE_MS 5000
#define RATE_LOOK_MS  1000

#define ROOM_LOOK_MS 100

/* How long a connection of the phase may stand still; INT64_MAX: for ever. */
static int64_t limit_of(const struct http_server *server, enum connection_phase phase)
{
    const struct conf_http *http = &server->settings.conf->http;
    switch (phase) {
    case CONNECTION_IDLE:
        return http->keepalive_ms;
    case CONNECTION_HEAD:
        return http->header_ms;
    case CONNECTION_BODY:
        return http->body_ms;
    case CONNECTION_SENDING:
        return http->send_ms;
    default:
        return INT64_MAX;
    }
}

static bool has_rate(const struct http_server *server, enum connection_phase phase)
{
    return server->settings.conf->http.min_rate > 0 &&
           (phase == CONNECTION_BODY || phase == CONNECTION_SENDING);
}

static void look_at(struct http_server *server, int64_t at_ms, int64_t now_ms)
{
    int64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    struct timeval delay = {wait_ms / 1000, wait_ms % 1000 * 1000};
    if (at_ms < server->deadline_ms && event_add(server->deadline, &delay) == 0)
        server->deadline_ms = at_ms;
}

void deadline_begins(struct http_server *server, enum connection_phase phase, int64_t begun_ms,
                     int64_t now_ms)
{
    int64_t limit_ms = limit_of(server, phase);
    if (has_rate(server, phase))
        look_at(server, now_ms + RATE_LOOK_MS, now_ms);
    if (limit_ms != INT64_MAX)
        look_at(server, begun_ms + limit_ms, now_ms);
}

void deadline_for_room(struct http_server *server)
{
    int64_t now_ms = clock_now_ms();
    look_at(server, now_ms + ROOM_LOOK_MS, now_ms);
}

/* It stands still for too long. */
static void expire(struct connection *connection)
{
    struct limits *limits = &connection->server->limits;
    switch (connection->phase) {
    case CONNECTION_IDLE:
        limit_hit(limits, LIMIT_KEEPALIVE, connection_client(connection), "closing");
        connection_close(connection);
        break;
    case CONNECTION_HEAD:
        intake_refuse(connection, 408, LIMIT_HEADER_TIME, "the head of the request took too long");
        break;
    case CONNECTION_BODY:
        intake_refuse(connection, 408, LIMIT_BODY_TIME, "the body of the request took too long");
        break;
    default:
        limit_hit(limits, LIMIT_SEND_TIME, connection_client(connection),
                  "the client takes no more of its answer, closing");
        connection_close(connection);
    }
}

static void crawl(struct connection *connection)
{
    if (connection->phase == CONNECTION_BODY) {
        intake_refuse(connection, 408, LIMIT_RATE, "the body of the request comes too slowly");
        return;
    }
    limit_hit(&connection->server->limits, LIMIT_RATE, connection_client(connection),
              "the client takes its answer too slowly, closing");
    connection_close(connection);
}

static bool is_too_slow(const struct connection *connection, int64_t now_ms)
{
    int64_t min_rate = connection->server->settings.conf->http.min_rate;
    int64_t age_ms = now_ms - connection->begun_ms;
    return age_ms >= RATE_GRACE_MS && (int64_t)connection->moved < age_ms / 1000 * min_rate;
}

static bool is_due(const struct connection *connection, int64_t limit_ms, int64_t now_ms)
{
    return now_ms - connection->since_ms >= limit_ms;
}

/* Deal with those that are due; look at the rest again when the next one is. */
static void look_through(struct http_server *server, enum connection_phase phase, int64_t now_ms)
{
    int64_t limit_ms = limit_of(server, phase);
    bool rate = has_rate(server, phase);
    struct connection *next, *connection = TAILQ_FIRST(&server->phases[phase]);
    for (; connection != NULL && connection->since_ms < now_ms; connection = next) {
        next = TAILQ_NEXT(connection, entry);
        if (!rate && !is_due(connection, limit_ms, now_ms))
            break; /* and the others came later */
        if (phase == CONNECTION_SENDING)
            connection_look(connection, now_ms);
        if (is_due(connection, limit_ms, now_ms))
            expire(connection);
        else if (rate && is_too_slow(connection, now_ms))
            crawl(connection);
    }
    connection = TAILQ_FIRST(&server->phases[phase]);
    if (connection == NULL)
        return;
    int64_t at_ms = connection->since_ms + limit_ms;
    if (rate && at_ms > now_ms + RATE_LOOK_MS)
        at_ms = now_ms + RATE_LOOK_MS;
    look_at(server, at_ms > now_ms ? at_ms : now_ms + 1, now_ms);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    server->deadline_ms = INT64_MAX;
    for (int phase = 0; phase < CONNECTION_PHASES; phase++)
        if (phase != CONNECTION_ANSWERING)
            look_through(server, (enum connection_phase)phase, now_ms);
    server_make_room(server);
}

int deadline_init(struct http_server *server)
{
    server->deadline_ms = INT64_MAX;
    server->deadline = event_new(server->settings.base, -1, 0, on_time, server);
    return server->deadline != NULL ? 0 : -ENOMEM;
}

void deadline_clear(struct http_server *server)
{
    if (server->deadline != NULL)
        event_free(server->deadline);
}
