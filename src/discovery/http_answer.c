#include "config.h"

#include "discovery/http_client_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http_struct.h>
#include <event2/util.h>

#include "conf/registry.h"
#include "discovery/http_pool.h"
#include "discovery/tls_client.h"

static bool may_try_again(const struct http_client_call *call)
{
    return call->lease->was_idle && call->lease->n_read == 0 && !call->was_again &&
           call->kind == EVREQ_HTTP_EOF;
}

static void explain_no_connection(struct http_client_call *call)
{
    const struct registry_url *url = call->client->settings.url;
    int dns_error = bufferevent_socket_get_dns_error(call->lease->bev);
    if (dns_error != 0)
        http_call_fail(call, "the name %s cannot be resolved: %s", url->host,
                       evutil_gai_strerror(dns_error));
    else
        http_call_fail(call, "cannot connect to %s port %u: %s", url->host, url->port,
                       strerror(call->error_number));
}

static void explain(struct http_client_call *call)
{
    bool is_tls = call->client->settings.url->is_tls;
    const char *tls_error = is_tls ? tls_client_error(call->lease->bev) : NULL;
    if (tls_error != NULL)
        http_call_fail(call, "%s", tls_error);
    else if (!call->lease->is_open)
        explain_no_connection(call);
    else if (call->kind == EVREQ_HTTP_DATA_TOO_LONG)
        http_call_fail(call, "the body is broken, or larger than %zu bytes",
                       call->client->settings.max_body_bytes);
    else if (call->kind == EVREQ_HTTP_INVALID_HEADER)
        http_call_fail(call, "the answer is not HTTP/1, or its head is larger than %d bytes",
                       HTTP_CLIENT_HEAD_MAX);
    else if (call->lease->n_read == 0)
        http_call_fail(call, "the connection was closed without an answer");
    else
        http_call_fail(call, "the connection was closed within the answer");
}

static void on_broken(struct http_client_call *call)
{
    if (call->is_over)
        return;
    if (may_try_again(call)) {
        call->is_again = true;
        http_call_end(call);
    } else {
        explain(call);
    }
}

/* http_answer_done() comes next, with NULL. */
static void on_error(enum evhttp_request_error kind, void *arg)
{
    struct http_client_call *call = arg;
    call->error_number = errno;
    call->kind = kind;
}

static void hand_on(struct http_client_call *call, const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    call->is_inside = true;
    call->line(line, len, call->arg);
    call->is_inside = false;
}

/* Whether bytes may be added to the line or body. */
static bool has_room(struct http_client_call *call, size_t len)
{
    size_t max = call->client->settings.max_body_bytes;
    if (len <= max && call->heard.len <= max - len)
        return true;
    http_call_fail(call, "a %s is larger than %zu bytes", call->is_stream ? "line" : "body", max);
    return false;
}

/* Returns how many bytes it has used: a line, or the beginning of one. */
static size_t take_line(struct http_client_call *call, const char *data, size_t len)
{
    const char *end = memchr(data, '\n', len);
    size_t n = end != NULL ? (size_t)(end - data) : len;
    if (!has_room(call, n))
        return len;
    if (end != NULL && call->heard.len == 0) {
        hand_on(call, data, n);
        return n + 1;
    }
    bytes_add(&call->heard, data, n);
    if (end == NULL || call->heard.failed)
        return len;
    hand_on(call, call->heard.at, call->heard.len);
    bytes_clear(&call->heard);
    return n + 1;
}

static void take(struct http_client_call *call, const char *data, size_t len)
{
    if (!call->is_stream) {
        if (has_room(call, len))
            bytes_add(&call->heard, data, len);
        return;
    }
    for (size_t at = 0; at < len && !call->is_over;)
        at += take_line(call, data + at, len - at);
}

/* A part of the body; evhttp drops what is left of it. */
static void on_part(struct evhttp_request *request, void *arg)
{
    struct http_client_call *call = arg;
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(input);
    if (call->is_over)
        return;
    const char *data = (const char *)evbuffer_pullup(input, -1);
    if (data != NULL)
        take(call, data, len);
    if (data == NULL || call->heard.failed)
        http_call_fail(call, "out of memory");
}

/*
 * evhttp takes an interim answer other than 100 for the final one, and waits for the end of the
 * request a second time, which a bufferevent with TLS has nothing to say about.
 */
static void skip_interim(struct http_client_call *call, struct evhttp_request *request)
{
    request->response_code = 100;
    evhttp_clear_headers(request->input_headers);
    if (call->client->settings.url->is_tls)
        bufferevent_trigger(call->lease->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

static int on_head(struct evhttp_request *request, void *arg)
{
    struct http_client_call *call = arg;
    int status = evhttp_request_get_response_code(request);
    if (status < 100 || status > 599) {
        http_call_fail(call, "the answer has no status that HTTP knows");
        return -1;
    }
    if (status < 200 && status != 101) {
        skip_interim(call, request);
        return 0;
    }
    call->is_stream = call->line != NULL && status / 100 == 2;
    if (call->is_stream && !call->is_over)
        event_del(call->end);
    return 0;
}

void http_answer_done(struct evhttp_request *request, void *arg)
{
    struct http_client_call *call = arg;
    int status = request != NULL ? evhttp_request_get_response_code(request) : 0;
    if (request != NULL && status == 0) { /* how evhttp says that the connection was refused */
        call->error_number = ECONNREFUSED;
        call->kind = EVREQ_HTTP_BUFFER_ERROR;
    }
    if (status == 0) {
        on_broken(call);
        return;
    }
    if (call->is_over)
        return;
    if (call->is_stream && call->heard.len > 0)
        hand_on(call, call->heard.at, call->heard.len);
    call->status = status;
    http_call_end(call);
}

static void on_flood(void *arg)
{
    struct http_client_call *call = arg;
    http_call_fail(call, "the answer is larger than %zu bytes",
                   call->client->settings.max_body_bytes);
}

/* So much may lie in the buffer: evhttp takes a chunk when all of it is there. */
static void limit(struct http_client_call *call)
{
    size_t max = call->client->settings.max_body_bytes;
    struct http_lease *lease = call->lease;
    lease->input_max =
        max < SIZE_MAX - 2 * HTTP_CLIENT_HEAD_MAX ? max + 2 * HTTP_CLIENT_HEAD_MAX : SIZE_MAX;
    lease->flood = on_flood;
    lease->arg = call;
    evhttp_connection_set_max_body_size(lease->connection,
                                        call->line != NULL ? -1 : (ev_ssize_t)max);
}

void http_answer_await(struct http_client_call *call)
{
    evhttp_request_set_error_cb(call->request, on_error);
    evhttp_request_set_header_cb(call->request, on_head);
    evhttp_request_set_chunked_cb(call->request, on_part);
    limit(call);
}
