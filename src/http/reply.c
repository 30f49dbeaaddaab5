#include "config.h"

#include "http/reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "http/request.h"
#include "http/request_state.h"
#include "http/server_state.h"

/* The statuses that our handlers use, and the phrases of RFC 9110 section 15. */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {418, "I'm a teapot"},
    {429, "Too Many Requests"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *reply_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

static void add_headers(struct http_request *request, const struct reply *reply)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(request->evreq);
    char length[24];
    if (!has_no_body(reply->status)) {
        snprintf(length, sizeof length, "%zu", reply->len);
        evhttp_add_header(out, "Content-Length", length);
    }
    if (reply->type != NULL)
        evhttp_add_header(out, "Content-Type", reply->type);
    const struct reply_header *header = reply->headers;
    for (; header != NULL && header->name != NULL; header++)
        if (header->value != NULL)
            evhttp_add_header(out, header->name, header->value);
    if (request->server->closing || request->doomed)
        evhttp_add_header(out, "Connection", "close");
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    struct evbuffer *body = NULL;
    bool sends_body = evhttp_request_get_command(request->evreq) != EVHTTP_REQ_HEAD &&
                      !has_no_body(reply->status);
    add_headers(request, reply);
    if (sends_body && reply->len > 0) {
        body = evbuffer_new();
        if (body == NULL || evbuffer_add(body, reply->body, reply->len) != 0) {
            if (body != NULL)
                evbuffer_free(body);
            evhttp_send_error(request->evreq, 503, NULL);
            return;
        }
    }
    evhttp_send_reply(request->evreq, reply->status, reply_reason(reply->status), body);
    if (body != NULL)
        evbuffer_free(body);
}

void reply_error(struct http_request *request, int status, const char *detail)
{
    char body[256];
    snprintf(body, sizeof body, "%d %s: %s\n", status, reply_reason(status), detail);
    struct reply reply = {
        .status = status, .type = "text/plain; charset=utf-8", .body = body, .len = strlen(body)};
    reply_send(request, &reply);
}

void reply_then_die(struct http_request *request, enum chaos_mode mode, uint32_t after_ms)
{
    struct address peer;
    if (request_peer(request, &peer) == 0)
        address_format(&peer, request->client);
    else
        snprintf(request->client, sizeof request->client, "?");
    request->doomed = true;
    request->mode = mode;
    request->after_ms = after_ms;
}
