/*
 * What stands behind server.h: for the files of this folder only.
 */
#ifndef ZOMBIE_HTTP_SERVER_STATE_H
#define ZOMBIE_HTTP_SERVER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "base/bytes.h"
#include "http/connection.h"
#include "http/head.h"
#include "http/http_date.h"
#include "http/limits.h"
#include "http/server.h"
#include "http/trace_context.h"

struct access_format;
struct access_log;
struct attributes;
struct crowd;
struct event;
struct http_listener;
struct lingerer;
struct router;

/* How much is read from a socket at once. */
#define SCRATCH_BYTES ((size_t)65536)

LIST_HEAD(linger_list, lingerer);

struct http_server {
    struct http_server_settings settings;
    struct router *router;
    struct attributes *attributes; /* of settings.conf->routes, in that order */
    struct http_listener **listeners;
    size_t n_listeners;

    struct connection_list phases[CONNECTION_PHASES]; /* all connections */
    size_t n_connections;
    size_t max_connections;
    uint64_t n_accepted; /* connections, ever */
    uint64_t body_bytes; /* memory that the bodies of requests take */
    struct crowd *crowd; /* how many of them each client has */
    struct linger_list lingers;
    size_t n_lingers;

    struct limits limits;
    struct head_limits head_limits;
    size_t read_ahead;      /* bytes taken from a client before the answer is out */
    struct event *deadline; /* looks at the phases */
    int64_t deadline_ms;    /* when; INT64_MAX: not at all */

    bool draining; /* asked to finish, whether or not still accepting */
    bool closing;  /* no more keep-alive: every answer says "Connection: close" */
    struct http_drain drain;
    int64_t close_at_ms; /* when accepting stops */
    struct event *drain_step;

    struct access_log *access_log; /* NULL: none is kept */
    struct access_format *access_format;
    struct event *access_due;
    struct trace_random trace_random;

    /* Memory that is used again and again. */
    char *scratch;  /* SCRATCH_BYTES, what a socket had */
    char *redirect; /* redirect_size, where the router sends a client */
    size_t redirect_size;
    struct bytes head; /* of an answer */
    time_t date_s;
    char date[HTTP_DATE_SIZE];
};

/* A connection is no more: there is room for another. */
void server_connection_left(struct http_server *server);

/* If somebody waits for a place, now or soon: close a connection that has been idle for a while. */
void server_make_room(struct http_server *server);

#endif
