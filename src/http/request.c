#include "config.h"

#include "http/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "base/access_format.h"
#include "conf/conf.h"
#include "http/attributes.h"
#include "http/connection.h"
#include "base/percent.h"
#include "http/intake.h"
#include "http/request_state.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

/* Memory that goes with the request. */
struct scrap {
    struct scrap *next;
    max_align_t memory[];
};

void *request_memory(const struct http_request *request, size_t size)
{
    struct http_request *owner = &request->connection->request;
    struct scrap *scrap = malloc(sizeof *scrap + size);
    if (scrap == NULL)
        return NULL;
    scrap->next = owner->scraps;
    owner->scraps = scrap;
    return scrap->memory;
}

void request_clear(struct http_request *request)
{
    struct scrap *next;
    for (struct scrap *scrap = request->scraps; scrap != NULL; scrap = next) {
        next = scrap->next;
        free(scrap);
    }
    if (request->wait != NULL)
        event_free(request->wait);
    if (request->deadline != NULL)
        event_free(request->deadline);
    *request = (struct http_request){.connection = NULL};
}

void request_move(struct http_request *request, const char *bytes)
{
    struct router_match *match = &request->match;
    for (size_t i = 0; request->found == ROUTER_FOUND && i < match->n_values; i++)
        match->values[i].begin = bytes + (match->values[i].begin - request->head);
    struct slice *host = &request->connection->head.host;
    if (host->len > 0)
        host->at = bytes + (host->at - request->head);
    request->head = bytes;
}

static const char *keep(const struct http_request *request, const char *text, size_t len)
{
    char *copy = request_memory(request, len + 1);
    if (copy == NULL)
        return "";
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static const char *keep_decoded(const struct http_request *request, const char *text, size_t len)
{
    char *copy = request_memory(request, len + 1);
    if (copy == NULL || percent_decode(text, len, false, copy, len + 1, &len) != 0)
        return "";
    return copy;
}

const char *request_method(const struct http_request *request)
{
    static const char *const names[] = {
        [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",     [METHOD_POST] = "POST",
        [METHOD_PUT] = "PUT",     [METHOD_DELETE] = "DELETE", [METHOD_OPTIONS] = "OPTIONS",
        [METHOD_TRACE] = "TRACE", [METHOD_PATCH] = "PATCH",
    };
    return names[request->connection->head.verb];
}

/* The encoded path, "/" for an absolute target without one; not ended by NUL. */
static struct slice raw_path(const struct http_request *request)
{
    if (request->path.len == 0)
        return (struct slice){"/", 1};
    return (struct slice){request->head + request->path.at, request->path.len};
}

const char *request_path(const struct http_request *request)
{
    struct slice path = raw_path(request);
    return keep_decoded(request, path.at, path.len);
}

const char *request_raw_path(const struct http_request *request)
{
    struct slice path = raw_path(request);
    return keep(request, path.at, path.len);
}

const char *request_query(const struct http_request *request)
{
    return keep(request, request->head + request->query.at, request->query.len);
}

const char *request_wildcard_at(const struct http_request *request, size_t n,
                                const char **ret_value)
{
    const struct router_match *match = &request->match;
    for (size_t i = 0; i < match->n_values; i++)
        if (match->values[i].name[0] != '\0' && n-- == 0) {
            *ret_value = keep_decoded(request, match->values[i].begin, match->values[i].len);
            return match->values[i].name;
        }
    return NULL;
}

const char *request_wildcard(const struct http_request *request, const char *name)
{
    const struct router_match *match = &request->match;
    for (size_t i = 0; i < match->n_values; i++)
        if (strcmp(match->values[i].name, name) == 0)
            return keep_decoded(request, match->values[i].begin, match->values[i].len);
    return NULL;
}

static struct router_value below(const struct http_request *request)
{
    struct slice path = raw_path(request);
    return router_below(request->match.route, path.at, path.len);
}

const char *request_path_below(const struct http_request *request)
{
    struct router_value value = below(request);
    return keep_decoded(request, value.begin, value.len);
}

const char *request_raw_path_below(const struct http_request *request)
{
    struct router_value value = below(request);
    return keep(request, value.begin, value.len);
}

static bool is_name(const struct slice *found, const char *name, size_t len)
{
    return found->len == len && strncasecmp(found->at, name, len) == 0;
}

/* The bodies that come in chunks have a length by now, and are chunks no more. */
static bool is_void(const struct http_request *request, const struct slice *name)
{
    return request->connection->head.framing == HEAD_CHUNKED &&
           is_name(name, "transfer-encoding", sizeof "transfer-encoding" - 1);
}

const char *request_header(const struct http_request *request, const char *name)
{
    const struct head *head = &request->connection->head;
    size_t len = strlen(name);
    struct slice found, value;
    for (size_t at = 0; head_next_field(head, request->head, &at, &found, &value);)
        if (is_name(&found, name, len) && !is_void(request, &found))
            return keep(request, value.at, value.len);
    return NULL;
}

void request_each_header(const struct http_request *request,
                         void (*each)(const char *name, const char *value, void *arg), void *arg)
{
    const struct head *head = &request->connection->head;
    struct slice name, value;
    for (size_t at = 0; head_next_field(head, request->head, &at, &name, &value);)
        if (!is_void(request, &name))
            each(keep(request, name.at, name.len), keep(request, value.at, value.len), arg);
}

bool request_next_field(const struct http_request *request, size_t *cursor, struct slice *ret_name,
                        struct slice *ret_value)
{
    return head_next_field(&request->connection->head, request->head, cursor, ret_name, ret_value);
}

void request_target(const struct http_request *request, struct slice *ret_path,
                    struct slice *ret_query, struct slice *ret_host)
{
    *ret_path = raw_path(request);
    *ret_query = (struct slice){request->head + request->query.at, request->query.len};
    *ret_host = request->connection->head.host;
}

int request_minor(const struct http_request *request)
{
    return request->connection->head.minor;
}

const char *request_host(const struct http_request *request)
{
    const struct slice *host = &request->connection->head.host;
    return keep(request, host->at, host->len);
}

const char *request_body(const struct http_request *request, size_t *ret_len)
{
    const struct bytes *body = &request->connection->body;
    *ret_len = body->len;
    return body->at != NULL ? body->at : "";
}

uint64_t request_body_length(const struct http_request *request)
{
    const struct head *head = &request->connection->head;
    return head->framing == HEAD_CHUNKED ? REQUEST_CHUNKED : head->content_length;
}

void request_read_body(struct http_request *request, request_piece *piece)
{
    request->piece = piece;
    if (piece != NULL)
        intake_want(request->connection);
    else
        request->connection->wants = false;
}

const char *request_trailers(const struct http_request *request, size_t *ret_len)
{
    const struct bytes *trailers = &request->connection->trailers;
    *ret_len = trailers->len;
    return trailers->len > 0 ? trailers->at : "";
}

void request_end_with_client(struct http_request *request, bool ends)
{
    request->ends_with_client = ends;
}

const struct address *request_client(const struct http_request *request)
{
    return &request->connection->peer;
}

const char *request_client_text(const struct http_request *request)
{
    return connection_client(request->connection);
}

void request_note_upstream(struct http_request *request, const struct access_attempt *attempt)
{
    struct access_attempt **end = &request->attempts;
    if (request->server->access_log == NULL)
        return; /* nobody would see it */
    struct access_attempt *copy = request_memory(request, sizeof *copy);
    if (copy == NULL)
        return;
    *copy = *attempt;
    copy->next = NULL;
    copy->server = keep(request, attempt->server, strlen(attempt->server));
    while (*end != NULL)
        end = &(*end)->next;
    *end = copy;
}

/* The value of a field that must not be repeated; NULL when it is, or is not there. */
static const char *find_single(const struct http_request *request, const char *wanted)
{
    const struct head *head = &request->connection->head;
    struct slice name, value, found = {NULL, 0};
    unsigned n = 0;
    for (size_t at = 0; head_next_field(head, request->head, &at, &name, &value);)
        if (is_name(&name, wanted, strlen(wanted)) && ++n == 1)
            found = value;
    return n == 1 ? keep(request, found.at, found.len) : NULL;
}

const char *request_traceparent(const struct http_request *request)
{
    struct http_request *own = &request->connection->request;
    struct trace_random *random = &request->server->trace_random;
    const char *theirs = find_single(request, "traceparent");
    struct trace_context parent, context;
    if (own->traceparent[0] != '\0')
        return own->traceparent;
    if (theirs != NULL && trace_context_parse(theirs, &parent) == 0)
        trace_context_child(&parent, random, &context);
    else
        trace_context_new(random, &context);
    trace_context_format(&context, own->traceparent);
    return own->traceparent;
}

const struct conf_route *request_route(const struct http_request *request)
{
    return request->found == ROUTER_FOUND && request->match.route != NULL
               ? request->match.route->conf
               : NULL;
}

const struct attributes *request_attributes(const struct http_request *request)
{
    const struct http_server *server = request->server;
    return &server->attributes[request_route(request) - server->settings.conf->routes];
}

const void *request_settings(const struct http_request *request)
{
    return request_route(request)->settings;
}

void *request_state(const struct http_request *request)
{
    return request_attributes(request)->state;
}

const struct worker_identity *request_identity(const struct http_request *request)
{
    return request->server->settings.identity;
}

void *request_context(const struct http_request *request)
{
    return request->server->settings.context;
}

const struct conf_chaos *request_chaos(const struct http_request *request)
{
    return &request->server->settings.conf->chaos;
}

unsigned long request_count(const struct http_request *request)
{
    return (unsigned long)scoreboard_requests(request->server->settings.scoreboard);
}

bool request_finds_stopping(const struct http_request *request)
{
    return request->server->draining && request->server->drain.stopping;
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    struct http_request *request = &connection->request;
    (void)fd;
    (void)what;
    if (request->answered)
        return;
    connection_hold(connection);
    request->then(request);
    connection_release(connection);
}

int request_wait(struct http_request *request, int64_t delay_ms,
                 void (*then)(struct http_request *request))
{
    struct timeval delay = {delay_ms / 1000, delay_ms % 1000 * 1000};
    if (request->wait == NULL)
        request->wait =
            event_new(request->server->settings.base, -1, 0, on_waited, request->connection);
    if (request->wait == NULL)
        return -ENOMEM;
    request->then = then;
    return event_add(request->wait, &delay) == 0 ? 0 : -ENOMEM;
}

void request_suspend(struct http_request *request,
                     void (*gone)(struct http_request *request, void *arg), void *arg)
{
    request->gone = gone;
    request->gone_arg = arg;
}

void *request_suspended(const struct http_request *request)
{
    return request->gone_arg;
}

void request_tell_gone(struct http_request *request)
{
    void (*gone)(struct http_request *, void *) = request->gone;
    request->gone = NULL;
    if (gone != NULL && !request->answered)
        gone(request, request->gone_arg);
}
