/* Answers a fixed text: what nginx users write as `return 200 "text"`. */
#include "config.h"

#include <string.h>

#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"

struct text_settings {
    long status;
    char *content_type;
    char *body;
};

static const struct conf_option options[] = {
    {.key = "status",
     .type = CONF_NUMBER,
     .offset = offsetof(struct text_settings, status),
     .min = 200,
     .max = 599,
     .fallback = "200",
     .help = "status code of the answer"},
    {.key = "content_type",
     .type = CONF_TEXT,
     .offset = offsetof(struct text_settings, content_type),
     .max = 128,
     .fallback = "text/plain; charset=utf-8",
     .help = "its Content-Type"},
    {.key = "body",
     .type = CONF_TEXT,
     .offset = offsetof(struct text_settings, body),
     .max = 65536,
     .fallback = "Hello from a zombie.\n",
     .help = "the text"},
    {.key = NULL},
};

static void serve(struct http_request *request)
{
    const struct text_settings *settings = request_settings(request);
    struct reply reply = {
        .status = (int)settings->status,
        .type = settings->content_type,
        .body = settings->body,
        .len = strlen(settings->body),
    };
    reply_send(request, &reply);
}

const struct handler handler_text = {
    .conf = {.name = "text", .options = options, .settings_size = sizeof(struct text_settings)},
    .methods = "GET, HEAD",
    .serve = serve,
};
