/*
 * Requests to one HTTP server, for those who speak with registries: by libevent's evhttp client
 * (event2/http.h), with a deadline and a limit for everything. What the server sends is not
 * trusted.
 */
#ifndef ZOMBIE_DISCOVERY_HTTP_CLIENT_H
#define ZOMBIE_DISCOVERY_HTTP_CLIENT_H

#include <stddef.h>

struct event_base;
struct evdns_base;
struct evkeyvalq;
struct http_client;
struct http_client_call;
struct registry_url;
struct tls_client;

/* All of it is borrowed for the client's life. */
struct http_client_settings {
    struct event_base *base;
    struct evdns_base *dns;
    const struct registry_url *url; /* host, port, path in front of every target */
    struct tls_client *tls;         /* for https; else NULL */
    const char *user, *password; /* Basic authentication (RFC 7617) with each request; NULL: none */
    long timeout_ms;             /* from the request to the end of its answer */
    size_t max_body_bytes;       /* of an answer, or of a line of a stream */
};

/* Good during the callback. */
struct http_client_answer {
    int status;        /* 100..599; 0: there was no whole answer, and: */
    const char *error; /* why, a phrase for the log; NULL with a status */
    const char *body;  /* NUL-terminated beyond len; "" of a stream */
    size_t len;
    struct evkeyvalq *fields; /* of the head, for evhttp_find_header(); NULL without a status */
};

struct http_client_request {
    const char *method;       /* "GET", "PUT", "POST", "DELETE" */
    const char *target;       /* after the path of the URL: "/v3/kv/range?x=y", encoded already */
    const char *content_type; /* of the body; NULL: no body */
    const char *body;
    size_t body_len;
    const char *const *fields; /* further "Name", "value" pairs, NULL-terminated; NULL: none */
    long timeout_ms;           /* in place of the client's; 0: that one */

    /*
     * For an answer that goes on for ever: called with each line (without its end) as it comes;
     * NULL: the answer comes whole. The deadline is then for the head alone. One whose status is
     * not 2xx comes whole nevertheless.
     */
    void (*line)(const char *line, size_t len, void *arg);

    /* The call is over and freed after this. Comes once, never from within http_client_send(). */
    void (*done)(const struct http_client_answer *answer, void *arg);
    void *arg;
};

/* Returns 0, -EINVAL: https without `tls`, or -ENOMEM. */
__attribute__((warn_unused_result)) int http_client_new(const struct http_client_settings *settings,
                                                        struct http_client **ret_client);

/*
 * Send a request: on a connection that is kept and idle, or a new one; also twice, when one that
 * was kept turns out to be dead. Redirects are not followed. Texts are copied. Returns the call,
 * which is the client's; NULL: out of memory, or a field has a line break; `done` does not come.
 */
struct http_client_call *http_client_send(struct http_client *client,
                                          const struct http_client_request *request);

/* Give it up: no callback comes any more. Not after `done` has returned. */
void http_client_cancel(struct http_client_call *call);

/*
 * Free, with all calls that run; not from within a callback of it. NULL is fine. A look-up of a
 * name that runs then costs memory until it has an answer, or `dns` is freed with
 * fail_requests and the loop has turned once more.
 */
void http_client_free(struct http_client *client);

#endif
