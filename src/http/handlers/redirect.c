/* Answers with another place to ask: a path here or a URL elsewhere. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/pattern.h"
#include "http/escape.h"
#include "http/handlers/handler.h"
#include "http/handlers/redirect_target.h"
#include "http/reply.h"
#include "http/request.h"

struct redirect_settings {
    char *to;
    int status; /* index into statuses */
    bool keep_path;
    bool keep_query;
};

/* Those of RFC 9110 section 15.4 that say where to go. */
static const char *const status_choices[] = {"301", "302", "303", "307", "308", NULL};
static const int statuses[] = {301, 302, 303, 307, 308};

static const struct conf_option options[] = {
    {.key = "to",
     .type = CONF_TEXT,
     .offset = offsetof(struct redirect_settings, to),
     .min = 1,
     .max = 2048,
     .help = "the path or the http or https URL to ask instead"},
    {.key = "status",
     .type = CONF_CHOICE,
     .offset = offsetof(struct redirect_settings, status),
     .choices = status_choices,
     .fallback = "302",
     .help = "301 and 308 are for ever; 307 and 308 keep method and body"},
    {.key = "keep_path",
     .type = CONF_BOOL,
     .offset = offsetof(struct redirect_settings, keep_path),
     .fallback = "no",
     .help = "whether what the pattern leaves open at its end is added to the path"},
    {.key = "keep_query",
     .type = CONF_BOOL,
     .offset = offsetof(struct redirect_settings, keep_query),
     .fallback = "no",
     .help = "whether the query is added"},
    {.key = NULL},
};

static const char *check(const void *settings)
{
    return redirect_target_check(((const struct redirect_settings *)settings)->to);
}

/* What a route is in a worker. */
struct redirect {
    bool appends_path;
};

/* A pattern that ends in a fixed segment, such as "/a", has nothing below it. */
static int init(const struct conf_route *route, void **ret_state)
{
    const struct redirect_settings *settings = route->settings;
    const struct conf_pattern *pattern = route->parsed;
    enum pattern_kind last = pattern->segments[pattern->n_segments - 1].kind;
    struct redirect *redirect = malloc(sizeof *redirect);
    if (redirect == NULL)
        return -ENOMEM;
    redirect->appends_path = settings->keep_path && last != PATTERN_LITERAL;
    *ret_state = redirect;
    return 0;
}

/* A page for whoever does not follow by itself, such as curl(1); allocated. */
static char *page(int status, const char *location)
{
    char *escaped = escape_html_dup(location);
    char *html = NULL;
    if (escaped != NULL &&
        asprintf(&html, "<a href=\"%s\">%s</a>.\n", escaped, reply_reason(status)) < 0)
        html = NULL;
    free(escaped);
    return html;
}

static void answer(struct http_request *request, int status, const char *location)
{
    const struct reply_header headers[] = {{"Location", location}, {NULL, NULL}};
    struct reply reply = {.status = status, .headers = headers};
    const char *method = request_method(request);
    char *html = NULL;
    /* Other methods may be those of programs that would take a body for data. */
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        html = page(status, location);
    if (html != NULL) {
        reply.type = "text/html; charset=utf-8";
        reply.body = html;
        reply.len = strlen(html);
    }
    reply_send(request, &reply);
    free(html);
}

static void serve(struct http_request *request)
{
    const struct redirect_settings *settings = request_settings(request);
    const struct redirect *redirect = request_state(request);
    char *location = redirect_target_join(
        settings->to, redirect->appends_path ? request_raw_path_below(request) : "",
        settings->keep_query ? request_query(request) : "");
    if (location == NULL)
        reply_error(request, 500, "out of memory");
    else
        answer(request, statuses[settings->status], location);
    free(location);
}

const struct handler handler_redirect = {
    .conf = {.name = "redirect",
             .methods = "GET, HEAD, POST, PUT, PATCH, DELETE",
             .options = options,
             .settings_size = sizeof(struct redirect_settings),
             .check = check},
    .init = init,
    .serve = serve,
    .drop = free,
};
