/*
 * Answers a fixed text: what nginx users write as `return 200 "text"`. It can
 * take its time, to try out time limits and balancers.
 */
#include "config.h"

#include <string.h>

#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"

struct text_settings {
    long status;
    char *content_type;
    char *body;
    long delay_ms;
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
    {.key = "delay_ms",
     .type = CONF_NUMBER,
     .offset = offsetof(struct text_settings, delay_ms),
     .min = 0,
     .max = 3600000,
     .fallback = "0",
     .help = "how long to wait before answering"},
    {.key = NULL},
};

/* RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
static bool has_content(long status)
{
    return status != 204 && status != 205 && status != 304;
}

static void answer(struct http_request *request)
{
    const struct text_settings *settings = request_settings(request);
    struct reply reply = {.status = (int)settings->status};
    if (has_content(settings->status)) {
        reply.type = settings->content_type;
        reply.body = settings->body;
        reply.len = strlen(settings->body);
    }
    reply_send(request, &reply);
}

static void serve(struct http_request *request)
{
    const struct text_settings *settings = request_settings(request);
    if (settings->delay_ms == 0 || request_wait(request, settings->delay_ms, answer) != 0)
        answer(request);
}

const struct handler handler_text = {
    .conf = {.name = "text",
             .methods = "GET, HEAD, POST, PUT, PATCH, DELETE",
             .options = options,
             .settings_size = sizeof(struct text_settings)},
    .serve = serve,
};
