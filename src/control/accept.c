#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/answer.h"
#include "control/peer.h"
#include "control/server_state.h"
#include "control/connection.h"

/* How long nothing is accepted after accept(2) has failed for want of something. */
#define RETRY_MS 500

/* How often the log is told of peers that may not. */
#define REFUSED_MS 1000

void control_accept_stop(struct control_server *server)
{
    if (server->acceptable != NULL)
        event_free(server->acceptable);
    if (server->retry != NULL)
        event_del(server->retry);
    server->acceptable = NULL;
    server->listening = -1;
}

/* What a new connection is told that is not to be; an empty buffer has room for it. */
static void turn_away(int fd, enum control_error error, const char *text)
{
    struct bytes out = {.at = NULL};
    if (control_answer_add(&out, control_answer_failure(0, error, text)) == 0)
        (void)!send(fd, out.at, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    bytes_free(&out);
    close(fd);
}

/* The one that has been silent and unoccupied longest, or NULL. */
static struct control_connection *find_idle(const struct control_server *server)
{
    struct control_connection *connection = TAILQ_FIRST(&server->connections);
    while (connection != NULL && (connection->n_requests > 0 || connection->peer.is_admin))
        connection = TAILQ_NEXT(connection, link);
    return connection;
}

static bool yields(const struct control_connection *connection)
{
    const struct control_request *request = TAILQ_FIRST(&connection->requests);
    while (request != NULL && request->yields)
        request = TAILQ_NEXT(request, link);
    return request == NULL && !connection->peer.is_admin;
}

/* The oldest one that does nothing but listen, or NULL. */
static struct control_connection *find_yielding(const struct control_server *server)
{
    struct control_connection *connection, *oldest = NULL;
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
         connection = TAILQ_NEXT(connection, link))
        if (yields(connection) && (oldest == NULL || connection->number < oldest->number))
            oldest = connection;
    return oldest;
}

/* It is told why if its buffers have room for that. */
static void send_off(struct control_connection *connection)
{
    control_connection_send(
        connection, control_answer_failure(0, CONTROL_TOO_MANY,
                                           "too many clients are connected; the oldest that only "
                                           "follow make room"));
    control_connection_flush(connection);
    control_connection_cut(connection);
}

/* Whether there is a place for one more, after somebody has given up his. */
static bool make_room(struct control_server *server)
{
    struct control_connection *connection;
    if (server->n_connections < CONTROL_CLIENTS_MAX)
        return true;
    if ((connection = find_idle(server)) != NULL)
        control_connection_cut(connection);
    else if ((connection = find_yielding(server)) != NULL)
        send_off(connection);
    return connection != NULL;
}

static void tell_refused(struct control_server *server, const struct control_peer *peer)
{
    int64_t now_ms = clock_now_ms();
    if (server->refused_ms != 0 && now_ms - server->refused_ms < REFUSED_MS)
        return;
    server->refused_ms = now_ms;
    log_warning("control: user %u (process %d) may not use the control socket, turned away",
                (unsigned)peer->uid, (int)peer->pid);
}

static void welcome(struct control_server *server, int fd)
{
    struct control_peer peer;
    int r = control_peer_check(fd, server->listening, &peer);
    if (r == -EACCES) {
        tell_refused(server, &peer);
        turn_away(fd, CONTROL_NOT_ALLOWED, "this user may not use the control socket");
    } else if (r != 0) {
        close(fd);
    } else if (!make_room(server)) {
        turn_away(fd, CONTROL_TOO_MANY, "too many clients are connected");
    } else if (control_connection_open(server, fd, &peer) != 0) {
        close(fd);
    }
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

static const struct timeval retry_pause = {0, RETRY_MS * 1000};

/* No descriptor, no memory: the socket stays readable, so look away for a while. */
static void step_back(struct control_server *server, int error)
{
    if (event_add(server->retry, &retry_pause) == 0)
        event_del(server->acceptable);
    if (!server->is_short)
        log_warning("control: cannot accept (%s), trying again every %d ms", strerror(error),
                    RETRY_MS);
    server->is_short = true;
}

/* One a turn, for the loop has other things to do. */
static void on_acceptable(evutil_socket_t listening, short what, void *arg)
{
    struct control_server *server = arg;
    struct sockaddr_un name; /* it has none: control_peer_check() asks who it is */
    socklen_t len = sizeof name;
    int fd = accept4(listening, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;
    if (fd >= 0) {
        server->is_short = false;
        welcome(server, fd);
    } else if (!is_passing(errno)) {
        step_back(server, errno);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct control_server *server = arg;
    (void)fd;
    (void)what;
    if (server->acceptable != NULL && event_add(server->acceptable, NULL) != 0)
        event_add(server->retry, &retry_pause);
}

int control_server_listen(struct control_server *server, int fd)
{
    struct event_base *base = server->settings.base;
    struct event *acceptable = NULL;
    if (fd >= 0) {
        evutil_make_socket_nonblocking(fd);
        acceptable = event_new(base, fd, EV_READ | EV_PERSIST, on_acceptable, server);
        if (server->retry == NULL)
            server->retry = event_new(base, -1, 0, on_retry, server);
        if (acceptable == NULL || server->retry == NULL)
            goto out;
    }
    control_accept_stop(server);
    if (acceptable != NULL && event_add(acceptable, NULL) != 0)
        goto out;
    server->acceptable = acceptable;
    server->listening = fd;
    return 0;
out:
    if (acceptable != NULL)
        event_free(acceptable);
    return -ENOMEM;
}
