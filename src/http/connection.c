#include "config.h"

#include "http/connection.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/clock.h"

void connections_init(struct connections *set, struct event_base *base, size_t read_ahead,
                      size_t max_body, void (*closed)(struct connection *connection, void *arg),
                      void *arg)
{
    *set = (struct connections){.base = base,
                                .read_ahead = read_ahead,
                                .read_whole = read_ahead + max_body,
                                .closed = closed,
                                .arg = arg};
    LIST_INIT(&set->list);
}

static void forget(struct connection *connection)
{
    struct connections *set = connection->set;
    if (connection->fd >= 0 && (size_t)connection->fd < set->by_fd_size &&
        set->by_fd[connection->fd] == connection)
        set->by_fd[connection->fd] = NULL;
    LIST_REMOVE(connection, entry);
    set->n--;
    set->closed(connection, set->arg);
    free(connection);
}

static void on_close(struct evhttp_connection *evcon, void *arg)
{
    (void)evcon;
    forget(arg);
}

/* How much may lie unread in the buffer: little, unless a body is on its way. */
static void set_width(struct connection *connection, bool wide)
{
    const struct connections *set = connection->set;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection->evcon);
    connection->wide = wide;
    bufferevent_setwatermark(bev, EV_READ, 0, wide ? set->read_whole : set->read_ahead);
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct connection *connection = arg;
    if (info->n_added == 0)
        return;
    connection->busy = true;
    if (!connection->wide && connection->request.evreq == NULL &&
        evbuffer_get_length(input) >= connection->set->read_ahead)
        set_width(connection, true);
}

static bool index_by_fd(struct connections *set, struct connection *connection)
{
    size_t fd = (size_t)connection->fd;
    if (fd >= set->by_fd_size) {
        size_t size = 2 * fd + 64;
        struct connection **grown = realloc(set->by_fd, size * sizeof(struct connection *));
        if (grown == NULL)
            return false;
        for (size_t i = set->by_fd_size; i < size; i++)
            grown[i] = NULL;
        set->by_fd = grown;
        set->by_fd_size = size;
    }
    set->by_fd[fd] = connection;
    return true;
}

/*
 * evhttp asks for a bufferevent before its connection object exists. This runs
 * right after it was made and before its first byte is read: by then the
 * bufferevent's callback argument is that object, or NULL when it failed.
 */
static void adopt(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    struct bufferevent *bev = connection->bev;
    void *evcon = NULL;
    (void)fd;
    (void)what;
    bufferevent_getcb(bev, NULL, NULL, NULL, &evcon);
    connection->bev = NULL;
    connection->fd = bufferevent_getfd(bev);
    if (evcon == NULL) {
        forget(connection);
    } else {
        connection->evcon = evcon;
        evhttp_connection_set_closecb(evcon, on_close, connection);
        if (!index_by_fd(connection->set, connection) ||
            evbuffer_add_cb(bufferevent_get_input(bev), on_input, connection) == NULL)
            evhttp_connection_free(evcon);
    }
    bufferevent_decref(bev);
}

struct bufferevent *connections_add(struct connections *set)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct bufferevent *bev = bufferevent_socket_new(set->base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct timeval at_once = {0, 0};
    if (connection == NULL || bev == NULL ||
        event_base_once(set->base, -1, EV_TIMEOUT, adopt, connection, &at_once) != 0) {
        free(connection);
        if (bev != NULL)
            bufferevent_free(bev);
        return NULL;
    }
    *connection =
        (struct connection){.set = set, .bev = bev, .fd = -1, .idle_since_ms = clock_now_ms()};
    bufferevent_incref(bev);
    bufferevent_setwatermark(bev, EV_READ, 0, set->read_ahead);
    LIST_INSERT_HEAD(&set->list, connection, entry);
    set->n++;
    return bev;
}

struct connection *connections_find(const struct connections *set, struct evhttp_connection *evcon)
{
    int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));
    if (fd < 0 || (size_t)fd >= set->by_fd_size || set->by_fd[fd] == NULL)
        return NULL;
    return set->by_fd[fd]->evcon == evcon ? set->by_fd[fd] : NULL;
}

void connection_answered(struct connection *connection, int64_t now_ms)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection->evcon);
    connection->busy = evbuffer_get_length(bufferevent_get_input(bev)) > 0;
    connection->idle_since_ms = now_ms;
    if (connection->wide)
        set_width(connection, false);
}

/* Not before evhttp has it, nor when bytes of a request wait in the kernel. */
static bool may_close(const struct connection *connection)
{
    int unread = 0;
    if (connection->evcon == NULL)
        return false;
    return ioctl(connection->fd, FIONREAD, &unread) != 0 || unread == 0;
}

int64_t connections_close_idle(struct connections *set, int64_t idle_before_ms)
{
    int64_t oldest_ms = INT64_MAX;
    struct connection *connection = LIST_FIRST(&set->list);
    while (connection != NULL) {
        struct connection *next = LIST_NEXT(connection, entry);
        bool overdue = connection->idle_since_ms < idle_before_ms;
        if (!connection->busy && overdue && may_close(connection))
            evhttp_connection_free(connection->evcon);
        else if (!connection->busy && connection->idle_since_ms < oldest_ms)
            oldest_ms = connection->idle_since_ms;
        connection = next;
    }
    return oldest_ms;
}

void connections_clear(struct connections *set)
{
    struct connection *connection = LIST_FIRST(&set->list);
    while (connection != NULL) {
        struct connection *next = LIST_NEXT(connection, entry);
        bufferevent_decref(connection->bev);
        forget(connection);
        connection = next;
    }
    free(set->by_fd);
    set->by_fd = NULL;
    set->by_fd_size = 0;
}
