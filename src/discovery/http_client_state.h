/*
 * A client and its calls, for the files that they are made of: http_client.c begins and ends
 * them, http_answer.c listens in between.
 */
#ifndef ZOMBIE_DISCOVERY_HTTP_CLIENT_STATE_H
#define ZOMBIE_DISCOVERY_HTTP_CLIENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "base/bytes.h"
#include "discovery/http_client.h"

struct event;
struct http_lease;
struct http_pool;

/* The largest head of an answer in bytes. */
#define HTTP_CLIENT_HEAD_MAX 65536

#define HTTP_CLIENT_ERROR_SIZE 384

struct http_client {
    struct http_client_settings settings;
    struct http_pool *pool;
    LIST_HEAD(calls, http_client_call) calls;
    char *host;          /* of the field */
    char *authorization; /* NULL: none */
};

struct http_client_call {
    struct http_client *client;
    LIST_ENTRY(http_client_call) entry;
    struct event *end; /* the deadline; or, as evhttp must not be left without it, its end now */
    struct http_lease *lease;
    struct evhttp_request *request; /* owned: evhttp frees it never */
    /* What is sent, for a second try. */
    enum evhttp_cmd_type method;
    char *target;
    struct evkeyvalq fields;
    struct bytes body;
    long timeout_ms;
    int64_t deadline_ms;
    void (*line)(const char *line, size_t len, void *arg);
    void (*done)(const struct http_client_answer *answer, void *arg);
    void *arg;
    /* What has come. */
    bool is_stream;     /* lines are handed on */
    struct bytes heard; /* the body, or the line that has begun */
    int status;         /* 0: failed */
    bool is_over;       /* status or error is final, `end` will be */
    bool is_again;      /* or rather, `end` will be a new beginning */
    bool was_again;
    bool is_inside;    /* a callback of the caller runs */
    bool is_cancelled; /* in there */
    enum evhttp_request_error kind;
    int error_number;
    char error[HTTP_CLIENT_ERROR_SIZE];
};

/* --- http_client.c --------------------------------------------------------------------------- */

/* The call is over: on_end() comes next, from the loop, as evhttp must not lose it before. */
void http_call_end(struct http_client_call *call);

/* So, and for this reason, unless it is over already. */
__attribute__((format(printf, 2, 3))) void http_call_fail(struct http_client_call *call,
                                                          const char *format, ...);

/* --- http_answer.c --------------------------------------------------------------------------- */

/* The callback of evhttp at the end of a request; arg is the call. */
void http_answer_done(struct evhttp_request *request, void *arg);

/* Have all the others called, for call->request on call->lease. */
void http_answer_await(struct http_client_call *call);

#endif
