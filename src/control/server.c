#include "config.h"

#include "control/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "control/peer.h"
#include "control/server_state.h"
#include "control/connection.h"

/* Connections that are flushed side by side when the server is freed. */
#define FLUSHED_MAX 64

/* Take the requests from those who are gone; the owner may free the server in there. */
static void drop_requests(struct control_server *server)
{
    struct control_connection *connection;
    for (connection = TAILQ_FIRST(&server->cut); connection != NULL;
         connection = TAILQ_NEXT(connection, link))
        control_connection_drop(connection);
}

static void bury(struct control_server *server)
{
    struct control_connection *connection;
    while ((connection = TAILQ_FIRST(&server->cut)) != NULL) {
        TAILQ_REMOVE(&server->cut, connection, link);
        control_connection_free(connection);
    }
}

void control_server_hold(struct control_server *server)
{
    server->holds++;
}

void control_server_release(struct control_server *server)
{
    if (--server->holds > 0 || !server->is_over)
        return;
    bury(server);
    free(server);
}

static void on_undertaker(evutil_socket_t fd, short what, void *arg)
{
    struct control_server *server = arg;
    (void)fd;
    (void)what;
    control_server_hold(server);
    drop_requests(server);
    bury(server);
    control_server_release(server);
}

int control_server_new(const struct control_server_settings *settings,
                       struct control_server **ret_server)
{
    struct control_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return -ENOMEM;
    *server = (struct control_server){.settings = *settings, .listening = -1};
    TAILQ_INIT(&server->connections);
    TAILQ_INIT(&server->cut);
    server->undertaker = event_new(settings->base, -1, 0, on_undertaker, server);
    if (server->undertaker == NULL) {
        free(server);
        return -ENOMEM;
    }
    *ret_server = server;
    return 0;
}

int control_server_adopt(struct control_server *server, int fd)
{
    struct control_peer peer = {.pid = 0};
    (void)!control_peer_read(fd, &peer);
    peer.is_admin = true;
    evutil_make_socket_nonblocking(fd);
    return control_connection_open(server, fd, &peer);
}

/* Those that have something to send: their descriptors, and how many they are. */
static nfds_t gather(const struct control_server *server, struct pollfd fds[FLUSHED_MAX])
{
    const struct control_connection *connection;
    nfds_t n = 0;
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
         connection = TAILQ_NEXT(connection, link))
        if (connection->out.len > 0 && n < FLUSHED_MAX)
            fds[n++] = (struct pollfd){.fd = connection->fd, .events = POLLOUT};
    return n;
}

static void flush_all(struct control_server *server)
{
    struct control_connection *connection, *next;
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, link);
        if (connection->out.len > 0)
            control_connection_flush(connection);
    }
}

static void flush_within(struct control_server *server, int wait_ms)
{
    int64_t now_ms = clock_now_ms(), deadline_ms = now_ms + wait_ms;
    struct pollfd fds[FLUSHED_MAX];
    nfds_t n;
    flush_all(server);
    while ((n = gather(server, fds)) > 0 && now_ms < deadline_ms) {
        if (poll(fds, n, (int)(deadline_ms - now_ms)) > 0)
            flush_all(server);
        now_ms = clock_now_ms();
    }
}

void control_server_free(struct control_server *server, int wait_ms)
{
    struct control_connection *connection;
    if (server == NULL || server->is_over)
        return;
    server->is_over = true;
    control_server_hold(server);
    control_accept_stop(server);
    flush_within(server, wait_ms);
    while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
        control_connection_cut(connection);
    if (server->retry != NULL)
        event_free(server->retry);
    event_free(server->undertaker);
    drop_requests(server);
    control_server_release(server);
}
