/*
 * What stands behind request.h and reply.h: for the files of this folder only.
 */
#ifndef ZOMBIE_HTTP_REQUEST_STATE_H
#define ZOMBIE_HTTP_REQUEST_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "http/request.h"
#include "http/router.h"
#include "http/slice.h"
#include "http/trace_context.h"
#include "ipc/message.h"

struct access_attempt;
struct attributes;
struct conf_route;
struct connection;
struct event;
struct http_server;
struct scrap;

/* Where a text stands in the request's head. */
struct span {
    size_t at;
    size_t len;
};

struct http_request {
    struct connection *connection; /* NULL: there is no request */
    struct http_server *server;
    struct router_match match;
    enum router_result found;
    bool noted;             /* on the scoreboard */
    bool pipelined;         /* sent before the answer to the one before it */
    bool answered;          /* an answer was begun */
    bool until_close;       /* its answer ends with the connection */
    bool doomed;            /* the worker dies when this is answered */
    bool ends_with_client;  /* once the client says that it will send nothing more */
    enum chaos_mode mode;   /* how */
    uint32_t after_ms;      /* and when */
    int status;             /* of the answer */
    int64_t begun_us;       /* CLOCK_MONOTONIC */
    uint64_t sent;          /* bytes of the answer so far */
    uint64_t head_bytes;    /* of these, its head, and interim answers before it */
    uint64_t received;      /* bytes of the request, head and body */
    const char *head;       /* its bytes; NULL: it was refused before it was understood */
    struct span target;     /* in the head, as all spans here */
    struct span path;       /* still encoded */
    struct span query;      /* ... and without '?' */
    struct scrap *scraps;   /* texts that were made for the handler */
    struct event *wait;     /* request_wait(), or NULL */
    struct event *deadline; /* the route's timeout, or NULL */
    void (*then)(struct http_request *request);
    void (*gone)(struct http_request *request, void *arg); /* request_suspend(), or NULL */
    void *gone_arg;
    request_piece *piece;                /* request_read_body(), or NULL */
    struct access_attempt *attempts;     /* request_note_upstream(), or NULL */
    char traceparent[TRACE_PARENT_SIZE]; /* "" until asked for */
};

/* The route that matched, or NULL. */
const struct conf_route *request_route(const struct http_request *request);

/* What was prepared for that route, which there must be. */
const struct attributes *request_attributes(const struct http_request *request);

/* The head of the request has been copied to `bytes`: refer to that. */
void request_move(struct http_request *request, const char *bytes);

/* Whoever has suspended the request shall not answer any more, if it has not yet. */
void request_tell_gone(struct http_request *request);

/* Free what the request holds; it is none from then on. */
void request_clear(struct http_request *request);

#endif
