#include "config.h"

#include "http/request.h"

#include <errno.h>
#include <sys/socket.h>

#include <event2/http.h>

#include "conf/conf.h"
#include "http/connection.h"
#include "http/request_state.h"
#include "http/router.h"
#include "http/server_state.h"
#include "ipc/scoreboard.h"

const char *request_method_name(const struct evhttp_request *evreq)
{
    switch (evhttp_request_get_command(evreq)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    case EVHTTP_REQ_CONNECT:
        return "CONNECT";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    }
    return "?";
}

const char *request_method(const struct http_request *request)
{
    return request_method_name(request->evreq);
}

const char *request_path(const struct http_request *request)
{
    return request->target.path;
}

const char *request_query(const struct http_request *request)
{
    return request->target.query;
}

const char *request_header(const struct http_request *request, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(request->evreq), name);
}

int request_peer(const struct http_request *request, struct address *ret_address)
{
    struct address peer = {.len = sizeof peer.storage};
    if (getpeername(request->connection->fd, (struct sockaddr *)&peer.storage, &peer.len) != 0)
        return -errno;
    *ret_address = peer;
    return 0;
}

const void *request_settings(const struct http_request *request)
{
    return request->route->conf->settings;
}

const struct worker_identity *request_identity(const struct http_request *request)
{
    return request->server->settings.identity;
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
