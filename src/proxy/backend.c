#include "config.h"

#include "proxy/backend.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct backend *backend = arg;
    (void)fd;
    (void)what;
    backend->calls->readable(backend->arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct backend *backend = arg;
    (void)fd;
    (void)what;
    backend->calls->writable(backend->arg);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct backend *backend = arg;
    (void)fd;
    (void)what;
    backend->calls->late(backend->arg);
}

/* A socket that has begun to connect; -errno if it cannot. */
static int begin(const struct address *address, bool *ret_is_connected)
{
    static const int on = 1;
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *ret_is_connected = connect(fd, (const struct sockaddr *)&address->storage, address->len) == 0;
    if (*ret_is_connected || errno == EINPROGRESS)
        return fd;
    int err = -errno;
    close(fd);
    return err;
}

int backend_connect(struct event_base *base, const struct balancer_pick *pick,
                    struct backend **ret_backend, bool *ret_is_connected)
{
    struct backend *backend = calloc(1, sizeof *backend);
    if (backend == NULL)
        return -ENOMEM;
    int fd = begin(&pick->address, ret_is_connected);
    if (fd < 0) {
        free(backend);
        return fd;
    }
    backend->fd = fd;
    backend->peer = pick->peer;
    backend->incarnation = pick->incarnation;
    event_assign(&backend->read, base, fd, EV_READ | EV_PERSIST, on_readable, backend);
    event_assign(&backend->write, base, fd, EV_WRITE | EV_PERSIST, on_writable, backend);
    event_assign(&backend->timer, base, -1, 0, on_late, backend);
    *ret_backend = backend;
    return 0;
}

int backend_connected(const struct backend *backend)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(backend->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return -errno;
    return -error;
}

bool backend_is_quiet(const struct backend *backend)
{
    char byte;
    return recv(backend->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void backend_use(struct backend *backend, const struct backend_calls *calls, void *arg)
{
    backend->calls = calls;
    backend->arg = arg;
}

static int set(struct event *event, bool *is_set, bool wanted)
{
    if (*is_set == wanted)
        return 0;
    if ((wanted ? event_add(event, NULL) : event_del(event)) != 0)
        return -ENOMEM;
    *is_set = wanted;
    return 0;
}

int backend_watch(struct backend *backend, bool reads, bool writes)
{
    int err = set(&backend->read, &backend->reads, reads);
    return err == 0 ? set(&backend->write, &backend->writes, writes) : err;
}

void backend_limit(struct backend *backend, const struct timeval *limit)
{
    if (limit != NULL)
        event_add(&backend->timer, limit);
    else
        event_del(&backend->timer);
}

void backend_close(struct backend *backend)
{
    if (backend == NULL)
        return;
    event_del(&backend->read);
    event_del(&backend->write);
    event_del(&backend->timer);
    close(backend->fd);
    free(backend);
}
