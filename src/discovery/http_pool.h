/*
 * Connections to one HTTP server. A call leases one; those that were given back in good order
 * are kept for a while, for the next.
 */
#ifndef ZOMBIE_DISCOVERY_HTTP_POOL_H
#define ZOMBIE_DISCOVERY_HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct bufferevent;
struct evbuffer_cb_entry;
struct event;
struct event_base;
struct evdns_base;
struct evhttp_connection;
struct http_pool;
struct tls_client;

/* How many are kept while nobody needs them, and for how long. */
#define HTTP_POOL_IDLE_MAX 4
#define HTTP_POOL_IDLE_S   60

/* All of it is borrowed for the pool's life. */
struct http_pool_settings {
    struct event_base *base;
    struct evdns_base *dns;
    struct tls_client *tls; /* NULL: plain TCP */
    const char *host;
    unsigned port;
    size_t head_max; /* bytes of a head */
};

struct http_lease {
    struct http_pool *pool;
    LIST_ENTRY(http_lease) entry;
    struct evhttp_connection *connection;
    struct bufferevent *bev;
    struct evbuffer_cb_entry *input_cb, *output_cb;
    struct event *timer; /* while it is idle: its end */
    bool is_idle;
    bool was_idle;  /* it has served a call before this one */
    bool is_open;   /* the server was reached, and its certificate accepted */
    bool is_closed; /* it was, and is not any more */
    size_t n_read;  /* bytes of the server during this lease */

    /* Called when more than input_max bytes lie there unread; for the one who leases it. */
    size_t input_max;
    void (*flood)(void *arg);
    void *arg;
};

/* Returns it, or NULL: out of memory. */
struct http_pool *http_pool_new(const struct http_pool_settings *settings);

/* The one that was idle for the shortest time, or, also if only_new, a new one that is to be
 * connected yet; NULL: out of memory. */
struct http_lease *http_pool_lease(struct http_pool *pool, bool only_new);

/* Give it back: no request is on it, and the next may be. */
void http_lease_keep(struct http_lease *lease);

/* Close it. Not from within a callback of evhttp for this connection. NULL is fine. */
void http_lease_drop(struct http_lease *lease);

/* Free, with all that are idle; there are no others. NULL is fine. */
void http_pool_free(struct http_pool *pool);

#endif
