#include "config.h"

#include "http/linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "http/drain.h"
#include "http/server_state.h"

#define LINGER_MS    2000
#define LINGER_BYTES ((size_t)4 << 20)
#define LINGERS_MAX  512

struct lingerer {
    LIST_ENTRY(lingerer) entry;
    struct http_server *server;
    struct event event;
    int fd;
    size_t left; /* bytes that are still read */
    int64_t end_ms;
};

static void end(struct lingerer *linger)
{
    LIST_REMOVE(linger, entry);
    linger->server->n_lingers--;
    event_del(&linger->event);
    close(linger->fd);
    free(linger);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct lingerer *linger = arg;
    struct http_server *server = linger->server;
    ssize_t n = 0;
    if (what & EV_READ)
        n = recv(fd, server->scratch, SCRATCH_BYTES, MSG_DONTWAIT);
    bool goes_on = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    size_t taken = n > 0 ? (size_t)n : 0;
    if (goes_on && taken < linger->left && clock_now_ms() < linger->end_ms) {
        linger->left -= taken;
        return;
    }
    end(linger);
    server_connection_left(server);
}

int linger_start(struct http_server *server, int fd)
{
    static const struct timeval timeout = {LINGER_MS / 1000, LINGER_MS % 1000 * 1000};
    if (server->n_lingers >= LINGERS_MAX)
        return -EAGAIN;
    struct lingerer *linger = calloc(1, sizeof *linger);
    if (linger == NULL)
        return -ENOMEM;
    *linger = (struct lingerer){
        .server = server, .fd = fd, .left = LINGER_BYTES, .end_ms = clock_now_ms() + LINGER_MS};
    event_assign(&linger->event, server->settings.base, fd, EV_READ | EV_PERSIST, on_event, linger);
    if (event_add(&linger->event, &timeout) != 0) {
        free(linger);
        return -ENOMEM;
    }
    shutdown(fd, SHUT_WR);
    LIST_INSERT_HEAD(&server->lingers, linger, entry);
    server->n_lingers++;
    return 0;
}

void linger_clear(struct http_server *server)
{
    struct lingerer *next, *linger = LIST_FIRST(&server->lingers);
    for (; linger != NULL; linger = next) {
        next = LIST_NEXT(linger, entry);
        end(linger);
    }
}
