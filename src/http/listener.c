#include "config.h"

#include "http/listener.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/exclusive.h"

/* After accept(2) failed for want of descriptors or memory. */
#define RETRY_MS     100
#define COMPLAINT_MS 1000

#define EPOLL_UNKNOWN (-2)

struct http_listener {
    struct http_listener_settings settings;
    struct evhttp *evhttp;
    struct evhttp_bound_socket *bound; /* NULL once closed */
    struct evconnlistener *lev;        /* belongs to bound */
    struct event *turn;                /* accept again: next turn, or after RETRY_MS */
    int epoll_fd;                      /* or EPOLL_UNKNOWN, or -1: no fairness to be had */
    bool greedy;
    bool waits_for_room;
    int64_t complained_ms;
    LIST_ENTRY(http_listener) entry;
};

/*
 * libevent hands the error callback what evhttp_bind_listener() has put in
 * place of our argument, so the way back from the evconnlistener is a list.
 */
LIST_HEAD(listener_list, http_listener);
static struct listener_list all = LIST_HEAD_INITIALIZER(all);

static struct http_listener *find_listener(const struct evconnlistener *lev)
{
    struct http_listener *listener;
    LIST_FOREACH (listener, &all, entry)
        if (listener->lev == lev)
            break;
    return listener;
}

/*
 * Only a listener that stands in epoll can be found there, so the search is
 * made when it is registered for the first time.
 */
static void start_accepting(struct http_listener *listener)
{
    evconnlistener_enable(listener->lev);
    if (listener->epoll_fd == EPOLL_UNKNOWN)
        listener->epoll_fd = exclusive_find_epoll(listener->settings.fd);
    if (listener->epoll_fd >= 0)
        exclusive_requeue(listener->epoll_fd, listener->settings.fd);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct http_listener *listener = arg;
    (void)fd;
    (void)what;
    if (listener->bound == NULL)
        return;
    listener->waits_for_room = !listener->settings.has_room(listener->settings.arg);
    if (!listener->waits_for_room)
        start_accepting(listener);
}

/*
 * evhttp calls this for each connection, between accept(2) and its own work.
 * libevent accepts on until the queue is empty or the listener is disabled: so
 * disabling it here makes one connection a turn.
 */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct http_listener *listener = arg;
    (void)base;
    if (!listener->greedy) {
        evconnlistener_disable(listener->lev);
        event_active(listener->turn, EV_TIMEOUT, 0);
    }
    return listener->settings.connected(listener->settings.arg);
}

static void on_accept_error(struct evconnlistener *lev, void *arg)
{
    static const struct timeval pause = {0, RETRY_MS * 1000};
    int err = errno;
    int64_t now_ms = clock_now_ms();
    struct http_listener *listener = find_listener(lev);
    (void)arg;
    evconnlistener_disable(lev);
    if (listener == NULL)
        return;
    event_add(listener->turn, &pause);
    if (now_ms - listener->complained_ms >= COMPLAINT_MS) {
        listener->complained_ms = now_ms;
        log_warning("accept: %s, trying again in %d ms", strerror(err), RETRY_MS);
    }
}

static void on_request(struct evhttp_request *evreq, void *arg)
{
    struct http_listener *listener = arg;
    listener->settings.request(evreq, listener->settings.arg);
}

static void configure(struct http_listener *listener)
{
    const struct http_listener_settings *settings = &listener->settings;
    struct timeval keepalive = {settings->keepalive_ms / 1000,
                                settings->keepalive_ms % 1000 * 1000};
    evhttp_set_timeout_tv(listener->evhttp, &keepalive);
    evhttp_set_max_headers_size(listener->evhttp, settings->max_header_bytes);
    evhttp_set_max_body_size(listener->evhttp, settings->max_body_bytes);
    evhttp_set_allowed_methods(listener->evhttp, UINT16_MAX);
    evhttp_set_default_content_type(listener->evhttp, NULL);
    evhttp_set_bevcb(listener->evhttp, on_connection, listener);
    evhttp_set_gencb(listener->evhttp, on_request, listener);
    evconnlistener_set_error_cb(listener->lev, on_accept_error);
}

static struct evconnlistener *make_lev(const struct http_listener_settings *settings)
{
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED;
    struct evconnlistener *lev =
        evconnlistener_new(settings->base, NULL, NULL, flags, 0, settings->fd);
    if (lev == NULL)
        close(settings->fd);
    return lev;
}

int http_listener_new(const struct http_listener_settings *settings,
                      struct http_listener **ret_listener)
{
    struct evconnlistener *lev = make_lev(settings);
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (lev == NULL || listener == NULL)
        goto fail;
    *listener =
        (struct http_listener){.settings = *settings, .lev = lev, .epoll_fd = EPOLL_UNKNOWN};
    listener->evhttp = evhttp_new(settings->base);
    listener->turn = event_new(settings->base, -1, 0, on_turn, listener);
    if (listener->evhttp == NULL || listener->turn == NULL)
        goto fail;
    listener->bound = evhttp_bind_listener(listener->evhttp, lev);
    if (listener->bound == NULL)
        goto fail;
    LIST_INSERT_HEAD(&all, listener, entry);
    configure(listener);
    start_accepting(listener);
    *ret_listener = listener;
    return 0;
fail:
    if (lev != NULL && (listener == NULL || listener->bound == NULL))
        evconnlistener_free(lev);
    http_listener_free(listener);
    return -ENOMEM;
}

void http_listener_resume(struct http_listener *listener)
{
    if (!listener->waits_for_room)
        return;
    listener->waits_for_room = false;
    event_active(listener->turn, EV_TIMEOUT, 0);
}

bool http_listener_empty_queue(struct http_listener *listener)
{
    struct pollfd queue = {.fd = listener->settings.fd, .events = POLLIN};
    if (listener->bound == NULL)
        return false;
    listener->greedy = true;
    return poll(&queue, 1, 0) > 0;
}

void http_listener_close(struct http_listener *listener)
{
    if (listener->bound == NULL)
        return;
    event_del(listener->turn);
    evhttp_del_accept_socket(listener->evhttp, listener->bound);
    LIST_REMOVE(listener, entry);
    listener->bound = NULL;
    listener->lev = NULL;
}

void http_listener_free(struct http_listener *listener)
{
    if (listener == NULL)
        return;
    http_listener_close(listener);
    if (listener->turn != NULL)
        event_free(listener->turn);
    if (listener->evhttp != NULL)
        evhttp_free(listener->evhttp);
    free(listener);
}
