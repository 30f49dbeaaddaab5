#include "config.h"

#include "http/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/address.h"
#include "http/exclusive.h"

#define EPOLL_UNKNOWN (-2)

/* How many connections are taken in one turn when nobody else will take them. */
#define GREED 64

struct http_listener {
    struct http_listener_settings settings;
    struct event *acceptable;
    struct event *turn; /* accept again: now, or after LISTENER_RETRY_MS */
    int epoll_fd;       /* or EPOLL_UNKNOWN, or -1: no fairness to be had */
    bool closed;
    bool greedy;
    bool waits_for_room;
};

/*
 * Go to the end of the kernel's queue of workers that wait on this socket. Only
 * one that stands in epoll can be found there, so the search is made when it is
 * registered for the first time.
 */
static void queue_up(struct http_listener *listener)
{
    if (listener->epoll_fd == EPOLL_UNKNOWN)
        listener->epoll_fd = exclusive_find_epoll(listener->settings.fd);
    if (listener->epoll_fd >= 0)
        exclusive_requeue(listener->epoll_fd, listener->settings.fd);
}

static void start_accepting(struct http_listener *listener)
{
    if (event_add(listener->acceptable, NULL) == 0)
        queue_up(listener);
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED;
}

/* No descriptor, no memory: others may have both, so leave the queue to them for a while. */
static void step_back(struct http_listener *listener, int error)
{
    static const struct timeval pause = {0, LISTENER_RETRY_MS * 1000};
    event_del(listener->acceptable);
    event_add(listener->turn, &pause);
    listener->settings.failed(error, listener->settings.arg);
}

static bool has_room(struct http_listener *listener)
{
    listener->waits_for_room = true; /* who makes room for it wants to know */
    listener->waits_for_room = !listener->settings.has_room(listener->settings.arg);
    if (listener->waits_for_room)
        event_del(listener->acceptable);
    return !listener->waits_for_room;
}

/* Returns whether there may be more. */
static bool accept_one(struct http_listener *listener)
{
    struct address peer = {.len = sizeof peer.storage};
    if (!has_room(listener))
        return false;
    int fd = accept4(listener->settings.fd, (struct sockaddr *)&peer.storage, &peer.len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        listener->settings.connected(fd, &peer, listener->settings.arg);
    else if (!is_passing(errno))
        step_back(listener, errno);
    return fd >= 0;
}

/*
 * One connection a turn, then to the end of the queue of those who share the socket:
 * so each worker gets its share, and none is woken in vain.
 */
static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct http_listener *listener = arg;
    (void)fd;
    (void)what;
    for (int i = 0; i < GREED && accept_one(listener) && listener->greedy; i++)
        continue;
    if (event_pending(listener->acceptable, EV_READ, NULL) &&
        listener->settings.is_shared(listener->settings.arg))
        queue_up(listener);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct http_listener *listener = arg;
    (void)fd;
    (void)what;
    if (!listener->closed && has_room(listener))
        start_accepting(listener);
}

int http_listener_new(const struct http_listener_settings *settings,
                      struct http_listener **ret_listener)
{
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(settings->fd);
        return -ENOMEM;
    }
    *listener = (struct http_listener){.settings = *settings, .epoll_fd = EPOLL_UNKNOWN};
    listener->acceptable =
        event_new(settings->base, settings->fd, EV_READ | EV_PERSIST, on_acceptable, listener);
    listener->turn = event_new(settings->base, -1, 0, on_turn, listener);
    if (listener->acceptable == NULL || listener->turn == NULL) {
        http_listener_free(listener);
        return -ENOMEM;
    }
    start_accepting(listener);
    *ret_listener = listener;
    return 0;
}

void http_listener_resume(struct http_listener *listener)
{
    if (!listener->waits_for_room)
        return;
    listener->waits_for_room = false;
    event_active(listener->turn, EV_TIMEOUT, 0);
}

static bool has_queue(const struct http_listener *listener)
{
    struct pollfd queue = {.fd = listener->settings.fd, .events = POLLIN};
    return poll(&queue, 1, 0) > 0;
}

bool http_listener_is_held(const struct http_listener *listener)
{
    return listener->waits_for_room && !listener->closed;
}

bool http_listener_waits(const struct http_listener *listener)
{
    return http_listener_is_held(listener) && has_queue(listener);
}

bool http_listener_empty_queue(struct http_listener *listener)
{
    if (listener->closed)
        return false;
    listener->greedy = true;
    return has_queue(listener);
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->closed)
        return;
    listener->closed = true;
    if (listener->turn != NULL)
        event_del(listener->turn);
    if (listener->acceptable != NULL)
        event_del(listener->acceptable);
    close(listener->settings.fd);
}

void http_listener_free(struct http_listener *listener)
{
    if (listener == NULL)
        return;
    http_listener_close(listener);
    if (listener->turn != NULL)
        event_free(listener->turn);
    if (listener->acceptable != NULL)
        event_free(listener->acceptable);
    free(listener);
}
