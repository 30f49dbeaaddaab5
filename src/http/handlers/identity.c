/* Answers who answered: as a page for people, JSON for programs, text for terminals. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "http/handlers/handler.h"
#include "http/handlers/identity_page.h"
#include "http/identity.h"
#include "http/negotiate.h"
#include "http/reply.h"
#include "http/request.h"

static char *render_json(const struct identity_facts *facts)
{
    const struct worker_identity *identity = facts->identity;
    json_t *object =
        json_pack("{s:s, s:I, s:I, s:I, s:s, s:I, s:I}", "instance", identity->instance, "worker",
                  (json_int_t)identity->worker, "slot", (json_int_t)identity->slot, "pid",
                  (json_int_t)identity->pid, "hostname", identity->hostname, "uptime_ms",
                  (json_int_t)facts->uptime_ms, "requests", (json_int_t)facts->requests);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

static char *render_page(const struct identity_facts *facts)
{
    static const char *const languages[] = {"en", "ko"};
    size_t language = negotiate_language(facts->accept_language, languages, 2);
    return identity_page_html(facts, (enum identity_language)language);
}

/* The forms on offer, best first. */
static const char *const types[] = {"text/html", "application/json", "text/plain"};
static const struct {
    const char *content_type;
    char *(*render)(const struct identity_facts *facts);
} forms[] = {
    {"text/html; charset=utf-8", render_page},
    {"application/json", render_json},
    {"text/plain; charset=utf-8", identity_page_text},
};

static void serve(struct http_request *request)
{
    const struct worker_identity *identity = request_identity(request);
    struct identity_facts facts = {
        .identity = identity,
        .uptime_ms = clock_now_ms() - identity->started_ms,
        .requests = request_count(request) + 1,
        .accept_language = request_header(request, "Accept-Language"),
    };
    size_t form = negotiate_type(request_header(request, "Accept"), types, 3);
    static const struct reply_header headers[] = {
        {"Cache-Control", "no-store"}, {"Vary", "Accept, Accept-Language"}, {NULL, NULL}};
    char *body = forms[form].render(&facts);
    if (body == NULL) {
        reply_error(request, 500, "out of memory");
        return;
    }
    struct reply reply = {
        .status = 200,
        .type = forms[form].content_type,
        .body = body,
        .len = strlen(body),
        .headers = headers,
    };
    reply_send(request, &reply);
    free(body);
}

static const struct conf_option options[] = {{.key = NULL}};

const struct handler handler_identity = {
    .conf = {.name = "identity", .methods = "GET, HEAD", .options = options},
    .serve = serve,
};
