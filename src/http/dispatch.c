#include "config.h"

#include "http/dispatch.h"

#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "http/attributes.h"
#include "http/connection.h"
#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"
#include "http/request_state.h"
#include "http/server_state.h"

/* "http://host" of an absolute target; 0 for a path and for "*". */
static size_t origin_length(const char *target, size_t len)
{
    static const char scheme[] = "http://";
    size_t at = sizeof scheme - 1;
    if (target[0] == '/' || len < at)
        return 0;
    while (at < len && target[at] != '/' && target[at] != '?')
        at++;
    return at;
}

void dispatch_target(struct http_request *request)
{
    const struct slice *target = &request->connection->head.target;
    size_t begin = (size_t)(target->at - request->head), end = begin + target->len;
    size_t path = begin + origin_length(target->at, target->len);
    const char *mark = memchr(request->head + path, '?', end - path);
    size_t path_end = mark != NULL ? (size_t)(mark - request->head) : end;
    size_t query = mark != NULL ? path_end + 1 : end;
    request->target = (struct span){begin, end - begin};
    request->path = (struct span){path, path_end - path};
    request->query = (struct span){query, end - query};
}

void dispatch_find_route(struct http_request *request)
{
    struct http_server *server = request->server;
    const struct slice *host = &request->connection->head.host;
    bool has_path = request->path.len > 0;
    struct router_query query = {.method = request_method(request),
                                 .host = host->at,
                                 .host_len = host->len,
                                 .path = has_path ? request->head + request->path.at : "/",
                                 .path_len = has_path ? request->path.len : 1,
                                 .redirect = server->redirect,
                                 .redirect_size = server->redirect_size};
    request->found = router_find(server->router, &query, &request->match);
}

static bool is_served(const struct conf_list *hosts, const struct slice *host)
{
    size_t len = hosts->n > 0 && host->len > 0 ? router_host_length(host->at, host->len) : 0;
    for (size_t i = 0; i < hosts->n; i++)
        if (strlen(hosts->items[i]) == len && strncasecmp(hosts->items[i], host->at, len) == 0)
            return true;
    return hosts->n == 0;
}

static bool is_asterisk(const struct http_request *request)
{
    return request->target.len == 1 && request->head[request->target.at] == '*';
}

static void refuse_host(struct http_request *request)
{
    struct connection *connection = request->connection;
    limit_hit(&request->server->limits, LIMIT_HOSTS, connection_client(connection),
              "the request is for a host that is not served here");
    connection->last = true;
    reply_error(request, 421, "this host is not served here");
}

static void tell_methods(struct http_request *request, const char *allow)
{
    static const char body[] = "405 Method Not Allowed: see the Allow header\n";
    bool asks = request->connection->head.verb == METHOD_OPTIONS;
    struct reply_header headers[] = {{"Allow", allow}, {NULL, NULL}};
    struct reply reply = {.status = 405,
                          .type = "text/plain; charset=utf-8",
                          .body = body,
                          .len = sizeof body - 1,
                          .headers = headers};
    if (asks)
        reply = (struct reply){.status = 204, .headers = headers};
    reply_send(request, &reply);
}

/* 301 lets old clients turn POST into GET (RFC 9110 section 15.4.2), so others get 308. */
static void redirect(struct http_request *request)
{
    enum http_method verb = request->connection->head.verb;
    bool reads = verb == METHOD_GET || verb == METHOD_HEAD;
    const char *query = request_query(request);
    struct bytes location = {.at = NULL};
    bytes_add(&location, request->server->redirect, request->match.redirect_len);
    if (query[0] != '\0') {
        bytes_add_text(&location, "?");
        bytes_add_text(&location, query);
    }
    struct reply_header headers[] = {{"Location", location.at}, {NULL, NULL}};
    struct reply reply = {.status = reads ? 301 : 308, .headers = headers};
    if (location.failed)
        reply_error(request, 503, "out of memory");
    else
        reply_send(request, &reply);
    bytes_free(&location);
}

static bool admits_host(const struct http_request *request)
{
    const struct conf_http *http = &request->server->settings.conf->http;
    return is_served(&http->hosts, &request->connection->head.host);
}

static bool admits_client(const struct http_request *request)
{
    return request_route(request) == NULL ||
           attributes_admit(request_attributes(request), request_client(request));
}

bool dispatch_refuses(const struct http_request *request, bool asks)
{
    bool has_route = request->found == ROUTER_FOUND;
    return !admits_host(request) || !admits_client(request) || (asks && !has_route);
}

bool dispatch_streams(const struct http_request *request)
{
    return request->found == ROUTER_FOUND && request->match.route->handler->streams_body &&
           !is_asterisk(request);
}

void dispatch(struct http_request *request)
{
    if (!admits_host(request))
        refuse_host(request);
    else if (!admits_client(request))
        reply_error(request, 403, "your address may not use this");
    else if (is_asterisk(request))
        tell_methods(request, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    else if (request->found == ROUTER_FOUND)
        request->match.route->handler->serve(request);
    else if (request->found == ROUTER_REDIRECT)
        redirect(request);
    else if (request->found == ROUTER_METHOD)
        tell_methods(request, request->match.allow);
    else
        reply_error(request, 404, "nothing is routed here");
}
