#include "config.h"

#include "http/absence.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include <event2/event.h>

#include "http/connection.h"
#include "http/server_state.h"

/*
 * How often it is looked. Not by EV_CLOSED: libevent tells nobody who waits for that of a
 * reset, and is told of it again and again.
 */
static const struct timeval interval = {0, 500000};

/* All of the body has arrived, though it is not read: its end is no reason not to answer. */
static bool has_said_all(const struct connection *connection)
{
    int unread = 0;
    return connection->head.framing == HEAD_LENGTH &&
           ioctl(connection->fd, FIONREAD, &unread) == 0 &&
           connection->in.len + (size_t)unread >= connection->body_left;
}

static bool is_gone(const struct connection *connection)
{
    struct pollfd peer = {.fd = connection->fd, .events = POLLRDHUP};
    if (poll(&peer, 1, 0) <= 0)
        return false;
    return (peer.revents & (POLLHUP | POLLERR)) != 0 || !has_said_all(connection);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    (void)what;
    if (is_gone(connection))
        connection_close(connection);
    else
        event_add(connection->absence, &interval);
}

void absence_watch(struct connection *connection)
{
    struct event_base *base = connection->server->settings.base;
    if (connection->absence == NULL)
        connection->absence = event_new(base, -1, 0, on_time, connection);
    if (connection->absence != NULL)
        event_add(connection->absence, &interval);
}

void absence_ignore(struct connection *connection)
{
    if (connection->absence != NULL)
        event_free(connection->absence);
    connection->absence = NULL;
}
