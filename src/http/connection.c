#include "config.h"

#include "http/connection.h"

#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "http/absence.h"
#include "http/crowd.h"
#include "http/deadline.h"
#include "http/exchange.h"
#include "http/intake.h"
#include "http/linger.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

static struct connection_list *list_of(struct connection *connection)
{
    return &connection->server->phases[connection->phase];
}

void connection_hold(struct connection *connection)
{
    connection->holds++;
}

void connection_release(struct connection *connection)
{
    connection->holds--;
    if (connection->gone && connection->holds == 0)
        free(connection);
}

/* Among those of its phase the one that stands still for longest is the first. */
static void line_up(struct connection *connection)
{
    struct connection_list *list = list_of(connection);
    struct connection *before = TAILQ_LAST(list, connection_list);
    while (before != NULL && before->since_ms > connection->since_ms)
        before = TAILQ_PREV(before, connection_list, entry);
    if (before != NULL)
        TAILQ_INSERT_AFTER(list, before, connection, entry);
    else
        TAILQ_INSERT_HEAD(list, connection, entry);
}

void connection_enter_since(struct connection *connection, enum connection_phase phase,
                            int64_t begun_ms, int64_t now_ms)
{
    TAILQ_REMOVE(list_of(connection), connection, entry);
    connection->phase = phase;
    connection->begun_ms = begun_ms;
    connection->since_ms = begun_ms;
    connection->moved = 0;
    line_up(connection);
    deadline_begins(connection->server, phase, begun_ms, now_ms);
}

void connection_enter(struct connection *connection, enum connection_phase phase, int64_t now_ms)
{
    connection_enter_since(connection, phase, now_ms, now_ms);
}

/*
 * What the kernel still holds was not taken (tcp(7), SIOCOUTQ). Of a unix socket
 * it holds little, and counts it together with its own overhead.
 */
static uint64_t count_taken(const struct connection *connection)
{
    int unsent = 0;
    uint64_t sent = connection->request.sent;
    if (connection->peer.storage.ss_family == AF_UNIX ||
        ioctl(connection->fd, SIOCOUTQ, &unsent) != 0 || unsent < 0)
        return sent;
    return (uint64_t)unsent < sent ? sent - (uint64_t)unsent : 0;
}

void connection_look(struct connection *connection, int64_t now_ms)
{
    uint64_t taken = count_taken(connection);
    if (taken <= connection->moved)
        return;
    connection->moved = taken;
    connection->since_ms = now_ms;
    TAILQ_REMOVE(list_of(connection), connection, entry);
    TAILQ_INSERT_TAIL(list_of(connection), connection, entry);
}

/* It is no connection any more, but for those who hold it. */
static void forget(struct connection *connection)
{
    struct http_server *server = connection->server;
    connection->gone = true;
    TAILQ_REMOVE(list_of(connection), connection, entry);
    server->n_connections--;
    if (connection->counted)
        crowd_leave(server->crowd, &connection->peer);
    bytes_free(&connection->in);
    bytes_free(&connection->kept);
    bytes_free(&connection->body);
    bytes_free(&connection->trailers);
    server_connection_left(server);
}

void connection_take_no_more(struct connection *connection)
{
    connection->refused = true;
    connection->last = true;
    connection->lingers = true;
}

void connection_close(struct connection *connection)
{
    if (connection->gone || connection->fd < 0)
        return;
    event_del(&connection->read);
    event_del(&connection->write);
    absence_ignore(connection);
    if (!connection->lingers || linger_start(connection->server, connection->fd) != 0)
        close(connection->fd);
    connection->fd = -1;
    connection_hold(connection);
    output_clear(&connection->output); /* first: a stream may hold memory of its request */
    exchange_abandon(connection);
    forget(connection);
    connection_release(connection);
}

void connection_break(struct connection *connection)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (connection->request.until_close)
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    connection_close(connection);
}

void connection_listen(struct connection *connection, bool listens)
{
    if (connection->gone || connection->eof || listens != connection->deaf)
        return;
    if (listens && event_add(&connection->read, NULL) != 0) {
        connection_close(connection);
        return;
    }
    if (!listens)
        event_del(&connection->read);
    connection->deaf = !listens;
    if (connection->deaf && connection->streams && !connection->tunnel)
        absence_watch(connection);
    else
        absence_ignore(connection);
}

const char *connection_client(struct connection *connection)
{
    if (connection->client[0] == '\0')
        address_format(&connection->peer, connection->client);
    return connection->client;
}

void connection_accept(struct http_server *server, int fd, const struct address *peer)
{
    struct event_base *base = server->settings.base;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(fd);
        return;
    }
    connection->server = server;
    connection->number = ++server->n_accepted;
    connection->fd = fd;
    connection->peer = *peer;
    connection->deaf = true;
    connection->accepted_ms = clock_now_ms();
    output_init(&connection->output);
    event_assign(&connection->read, base, fd, EV_READ | EV_PERSIST, intake_on_readable, connection);
    event_assign(&connection->write, base, fd, EV_WRITE | EV_PERSIST, exchange_on_writable,
                 connection);
    TAILQ_INSERT_TAIL(list_of(connection), connection, entry);
    server->n_connections++;
    scoreboard_count_accepted(server->settings.scoreboard);
    scoreboard_count_connections(server->settings.scoreboard, server->n_connections);
    connection_hold(connection);
    intake_welcome(connection);
    connection_release(connection);
}

/* Not when bytes of a request wait in the kernel. */
static bool may_close(const struct connection *connection)
{
    int unread = 0;
    return ioctl(connection->fd, FIONREAD, &unread) != 0 || unread == 0;
}

int64_t connections_close_idle(struct http_server *server, int64_t idle_before_ms, int64_t floor_ms)
{
    int64_t oldest_ms = INT64_MAX;
    struct connection *next, *connection = TAILQ_FIRST(&server->phases[CONNECTION_IDLE]);
    for (; connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, entry);
        int64_t since_ms = connection->since_ms > floor_ms ? connection->since_ms : floor_ms;
        if (since_ms < idle_before_ms && may_close(connection))
            connection_close(connection);
        else if (since_ms < oldest_ms)
            oldest_ms = since_ms;
    }
    return oldest_ms;
}

void connections_clear(struct http_server *server)
{
    for (int phase = 0; phase < CONNECTION_PHASES; phase++) {
        struct connection *next, *connection = TAILQ_FIRST(&server->phases[phase]);
        for (; connection != NULL; connection = next) {
            next = TAILQ_NEXT(connection, entry);
            connection->lingers = false;
            connection_close(connection);
        }
    }
}
