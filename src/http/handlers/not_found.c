/* Answers 404: takes a built-in route away, or closes a subtree. */
#include "config.h"

#include "http/handlers/handler.h"
#include "http/reply.h"

static void serve(struct http_request *request)
{
    reply_error(request, 404, "nothing is routed here");
}

static const struct conf_option options[] = {{.key = NULL}};

const struct handler handler_not_found = {
    .conf = {.name = "not_found",
             .methods = "GET, HEAD, POST, PUT, PATCH, DELETE",
             .options = options},
    .serve = serve,
};
