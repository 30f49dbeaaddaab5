/*
 * Every client connection of a worker, idle ones included: evhttp keeps its
 * own to itself, and a drain must be able to tell and close them.
 */
#ifndef ZOMBIE_HTTP_CONNECTION_H
#define ZOMBIE_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/address.h"
#include "http/request_state.h"

struct bufferevent;
struct connections;
struct event_base;
struct evhttp_connection;

struct connection {
    struct connections *set;
    struct bufferevent *bev;         /* held until evhttp has taken it over, then NULL */
    struct evhttp_connection *evcon; /* NULL until then */
    int fd;
    bool busy;                      /* bytes of a request came, and its answer is not out yet */
    bool wide;                      /* reads up to read_whole */
    int64_t idle_since_ms;          /* CLOCK_MONOTONIC; counts while !busy */
    struct http_request request;    /* the one being answered */
    char client[ADDRESS_TEXT_SIZE]; /* its address; "" before the first request */
    LIST_ENTRY(connection) entry;
};

LIST_HEAD(connection_list, connection);

struct connections {
    struct event_base *base;
    struct connection_list list;
    size_t n;
    struct connection **by_fd;
    size_t by_fd_size;
    size_t read_ahead; /* bytes that a client may send while its last request is answered */
    size_t read_whole; /* ... and while nothing is: evhttp wants a body in one piece */
    void (*closed)(struct connection *connection, void *arg); /* about to be freed */
    void *arg;
};

/*
 * Start with none. read_ahead must be more than the longest header that evhttp
 * takes, max_body is its longest body, in bytes. `closed` is called inside evhttp's own callbacks:
 * record, do not act.
 */
void connections_init(struct connections *set, struct event_base *base, size_t read_ahead,
                      size_t max_body, void (*closed)(struct connection *connection, void *arg),
                      void *arg);

/*
 * For evhttp_set_bevcb(): make the bufferevent of a new connection and follow
 * it. NULL when memory is short; evhttp then makes one of its own, which
 * connections_find() does not know.
 */
struct bufferevent *connections_add(struct connections *set);

/* The connection that evhttp calls evcon, or NULL. */
struct connection *connections_find(const struct connections *set, struct evhttp_connection *evcon);

/* The answer is out: idle, unless the next request has begun to arrive. */
void connection_answered(struct connection *connection, int64_t now_ms);

/*
 * Close idle connections whose last answer (or arrival) was before
 * idle_before_ms; one with unread bytes is not idle. Not to be called inside
 * evhttp's callbacks. Returns when the oldest of the remaining idle ones
 * became idle, or INT64_MAX when none is idle.
 */
int64_t connections_close_idle(struct connections *set, int64_t idle_before_ms);

/* Free what is left; evhttp must have closed the connections that it knows. */
void connections_clear(struct connections *set);

#endif
