/* GET /: the live page. It has no data in it, and so is for everybody. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "admin/guard.h"
#include "admin/page_html.h"
#include "admin/site_state.h"
#include "http/conditional.h"
#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"

/* Nothing is loaded but from here, and only what the build has seen is run. */
static const char policy[] = "default-src 'none'; script-src %s; style-src %s; "
                             "connect-src 'self'; img-src data:; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'";

static char *make_policy(const struct http_request *request)
{
    size_t size = sizeof policy + strlen(page_html_scripts) + strlen(page_html_styles);
    char *text = request_memory(request, size);
    if (text != NULL)
        snprintf(text, size, policy, page_html_scripts, page_html_styles);
    return text;
}

static bool is_known(const struct http_request *request)
{
    struct conditional_request asked = {
        .if_match = request_header(request, "If-Match"),
        .if_none_match = request_header(request, "If-None-Match"),
        .is_get_or_head = true,
    };
    struct conditional_entity entity = {.etag = page_html_etag, .mtime_s = -1};
    return conditional_judge(&asked, &entity) == CONDITIONAL_NOT_MODIFIED;
}

static void serve(struct http_request *request)
{
    if (!guard_admits(request, REACH_NOTHING))
        return;
    char *csp = make_policy(request);
    if (csp == NULL) {
        reply_error(request, 503, "out of memory");
        return;
    }
    struct reply_header headers[] = {{"Content-Security-Policy", csp},
                                     {"X-Content-Type-Options", "nosniff"},
                                     {"X-Frame-Options", "DENY"},
                                     {"Referrer-Policy", "no-referrer"},
                                     {"Cache-Control", "no-cache"},
                                     {"ETag", page_html_etag},
                                     {NULL, NULL}};
    struct reply reply = {.status = 200,
                          .type = "text/html; charset=utf-8",
                          .body = (const char *)page_html,
                          .len = page_html_len,
                          .headers = headers};
    if (is_known(request))
        reply = (struct reply){.status = 304, .headers = headers};
    reply_send(request, &reply);
}

const struct handler admin_page = {.conf = {.name = "page", .methods = "GET, HEAD"},
                                   .serve = serve};
