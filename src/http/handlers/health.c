/* Answers 200 while the instance serves and 503 once it stops: for load balancers. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/handlers/handler.h"
#include "http/identity.h"
#include "http/reply.h"
#include "http/request.h"

static void serve(struct http_request *request)
{
    const struct worker_identity *identity = request_identity(request);
    bool stopping = request_finds_stopping(request);
    static const struct reply_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    char body[128];
    snprintf(body, sizeof body, "{\"status\":\"%s\",\"worker\":%" PRIu64 ",\"slot\":%" PRIu32 "}\n",
             stopping ? "draining" : "serving", identity->worker, identity->slot);
    struct reply reply = {
        .status = stopping ? 503 : 200,
        .type = "application/json",
        .body = body,
        .len = strlen(body),
        .headers = headers,
    };
    reply_send(request, &reply);
}

static const struct conf_option options[] = {{.key = NULL}};

const struct handler handler_health = {
    .conf = {.name = "health", .methods = "GET, HEAD", .options = options},
    .serve = serve,
};
