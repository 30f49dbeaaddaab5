#include "config.h"

#include "discovery/http_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "conf/registry.h"
#include "discovery/basic_auth.h"
#include "discovery/http_client_state.h"
#include "discovery/http_pool.h"

/* --- Ends, each of which comes from the loop -------------------------------------------- */

void http_call_end(struct http_client_call *call)
{
    call->is_over = true;
    event_del(call->end);
    event_active(call->end, EV_TIMEOUT, 0);
}

void http_call_fail(struct http_client_call *call, const char *format, ...)
{
    va_list args;
    if (call->is_over)
        return;
    va_start(args, format);
    (void)vsnprintf(call->error, sizeof call->error, format, args);
    va_end(args);
    call->status = 0;
    http_call_end(call);
}

static void drop_connection(struct http_client_call *call)
{
    http_lease_drop(call->lease);
    call->lease = NULL;
    if (call->request != NULL)
        evhttp_request_free(call->request);
    call->request = NULL;
}

static void call_free(struct http_client_call *call)
{
    LIST_REMOVE(call, entry);
    drop_connection(call);
    if (call->end != NULL)
        event_free(call->end);
    evhttp_clear_headers(&call->fields);
    bytes_free(&call->body);
    bytes_free(&call->heard);
    free(call->target);
    free(call);
}

/* Only after a message whose end was told by itself (RFC 9112 section 6.3). */
static void keep_connection(struct http_client_call *call)
{
    struct evkeyvalq *fields = evhttp_request_get_input_headers(call->request);
    bool has_end = call->status == 204 || call->status == 304 ||
                   evhttp_find_header(fields, "Content-Length") != NULL ||
                   evhttp_find_header(fields, "Transfer-Encoding") != NULL;
    if (has_end) {
        http_lease_keep(call->lease);
        call->lease = NULL;
    }
}

static void conclude(struct http_client_call *call)
{
    struct http_client_answer answer = {.status = call->status, .body = ""};
    if (call->status == 0) {
        answer.error = call->error;
    } else {
        keep_connection(call);
        answer.fields = evhttp_request_get_input_headers(call->request);
        if (!call->is_stream && call->heard.len > 0) {
            answer.body = call->heard.at;
            answer.len = call->heard.len;
        }
    }
    call->is_inside = true;
    call->done(&answer, call->arg);
    call_free(call);
}

static int begin(struct http_client_call *call);

static void begin_again(struct http_client_call *call)
{
    drop_connection(call);
    bytes_clear(&call->heard);
    call->is_again = call->is_over = false;
    call->was_again = true;
    if (begin(call) != 0)
        http_call_fail(call, "out of memory");
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct http_client_call *call = arg;
    (void)fd;
    (void)what;
    if (call->is_cancelled) {
        call_free(call);
        return;
    }
    if (call->is_again) {
        begin_again(call);
        return;
    }
    if (!call->is_over)
        (void)snprintf(call->error, sizeof call->error, "there was no %s within %ld ms",
                       call->lease->is_open ? "answer" : "connection", call->timeout_ms);
    conclude(call);
}

/* --- Requests --------------------------------------------------------------------------------- */

static int fill(struct http_client_call *call)
{
    struct evkeyvalq *fields = evhttp_request_get_output_headers(call->request);
    struct evbuffer *body = evhttp_request_get_output_buffer(call->request);
    struct evkeyval *field;
    TAILQ_FOREACH (field, &call->fields, next)
        if (evhttp_add_header(fields, field->key, field->value) != 0)
            return -ENOMEM;
    if (call->body.len > 0 && evbuffer_add(body, call->body.at, call->body.len) != 0)
        return -ENOMEM;
    return 0;
}

static int start_clock(struct http_client_call *call)
{
    int64_t left_ms = call->deadline_ms - clock_now_ms();
    struct timeval wait = {0};
    if (left_ms > 0) {
        wait.tv_sec = left_ms / 1000;
        wait.tv_usec = left_ms % 1000 * 1000;
    }
    return event_add(call->end, &wait) == 0 ? 0 : -ENOMEM;
}

static int begin(struct http_client_call *call)
{
    call->lease = http_pool_lease(call->client->pool, call->was_again);
    call->request = evhttp_request_new(http_answer_done, call);
    if (call->lease == NULL || call->request == NULL)
        return -ENOMEM;
    evhttp_request_own(call->request);
    http_answer_await(call);
    if (fill(call) != 0 || start_clock(call) != 0)
        return -ENOMEM;
    if (evhttp_make_request(call->lease->connection, call->request, call->method, call->target) !=
        0)
        return -ENOMEM;
    return 0;
}

static enum evhttp_cmd_type method_of(const char *name)
{
    if (strcmp(name, "PUT") == 0)
        return EVHTTP_REQ_PUT;
    if (strcmp(name, "POST") == 0)
        return EVHTTP_REQ_POST;
    return strcmp(name, "DELETE") == 0 ? EVHTTP_REQ_DELETE : EVHTTP_REQ_GET;
}

static int add_fields(struct http_client_call *call, const struct http_client_request *request)
{
    const struct http_client *client = call->client;
    struct evkeyvalq *fields = &call->fields;
    char len[24];
    (void)snprintf(len, sizeof len, "%zu", request->body_len);
    if (evhttp_add_header(fields, "Host", client->host) != 0)
        return -ENOMEM;
    if (client->authorization != NULL &&
        evhttp_add_header(fields, "Authorization", client->authorization) != 0)
        return -ENOMEM;
    if (request->content_type != NULL &&
        (evhttp_add_header(fields, "Content-Type", request->content_type) != 0 ||
         evhttp_add_header(fields, "Content-Length", len) != 0))
        return -ENOMEM;
    for (size_t i = 0; request->fields != NULL && request->fields[i] != NULL; i += 2)
        if (evhttp_add_header(fields, request->fields[i], request->fields[i + 1]) != 0)
            return -ENOMEM;
    return 0;
}

static int copy(struct http_client_call *call, const struct http_client_request *request)
{
    const struct http_client_settings *settings = &call->client->settings;
    if (asprintf(&call->target, "%s%s", settings->url->path, request->target) < 0) {
        call->target = NULL;
        return -ENOMEM;
    }
    call->method = method_of(request->method);
    call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : settings->timeout_ms;
    call->deadline_ms = clock_now_ms() + call->timeout_ms;
    call->line = request->line;
    call->done = request->done;
    call->arg = request->arg;
    if (request->content_type != NULL)
        bytes_add(&call->body, request->body, request->body_len);
    return call->body.failed ? -ENOMEM : add_fields(call, request);
}

struct http_client_call *http_client_send(struct http_client *client,
                                          const struct http_client_request *request)
{
    struct http_client_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->client = client;
    TAILQ_INIT(&call->fields);
    LIST_INSERT_HEAD(&client->calls, call, entry);
    call->end = event_new(client->settings.base, -1, 0, on_end, call);
    if (call->end == NULL || copy(call, request) != 0 || begin(call) != 0) {
        call_free(call);
        return NULL;
    }
    return call;
}

void http_client_cancel(struct http_client_call *call)
{
    if (!call->is_inside) {
        call_free(call);
        return;
    }
    call->is_cancelled = true;
    http_call_end(call);
}

/* --- Clients ---------------------------------------------------------------------------------- */

/* RFC 9110 section 7.2: without a port that is the scheme's own. */
static char *host_field(const struct registry_url *url)
{
    bool is_v6 = strchr(url->host, ':') != NULL;
    char port[16] = "", *text = NULL;
    if (url->port != (url->is_tls ? 443 : 80))
        (void)snprintf(port, sizeof port, ":%u", url->port);
    if (asprintf(&text, "%s%s%s%s", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", port) < 0)
        return NULL;
    return text;
}

int http_client_new(const struct http_client_settings *settings, struct http_client **ret_client)
{
    const struct registry_url *url = settings->url;
    const struct http_pool_settings pool = {
        .base = settings->base,
        .dns = settings->dns,
        .tls = url->is_tls ? settings->tls : NULL,
        .host = url->host,
        .port = url->port,
        .head_max = HTTP_CLIENT_HEAD_MAX,
    };
    if (url->is_tls && settings->tls == NULL)
        return -EINVAL;
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return -ENOMEM;
    client->settings = *settings;
    LIST_INIT(&client->calls);
    client->host = host_field(url);
    client->pool = http_pool_new(&pool);
    if (settings->user != NULL)
        client->authorization =
            basic_auth_value(settings->user, settings->password != NULL ? settings->password : "");
    if (client->host == NULL || client->pool == NULL ||
        (settings->user != NULL && client->authorization == NULL)) {
        http_client_free(client);
        return -ENOMEM;
    }
    *ret_client = client;
    return 0;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    while (!LIST_EMPTY(&client->calls))
        call_free(LIST_FIRST(&client->calls));
    http_pool_free(client->pool);
    if (client->authorization != NULL)
        explicit_bzero(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client->host);
    free(client);
}
