/* GET /events: server-sent events (WHATWG HTML section 9.2). */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "admin/answer.h"
#include "admin/guard.h"
#include "admin/hub.h"
#include "admin/site_state.h"
#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"

/* Last-Event-ID; 0 for what is no number of ours. */
static uint64_t last_seen(const struct http_request *request)
{
    const char *text = request_header(request, "Last-Event-ID");
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    unsigned long long seq = strtoull(text, &end, 10);
    return *end == '\0' ? seq : 0;
}

static void serve(struct http_request *request)
{
    static const struct reply_header headers[] = {
        {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}, {NULL, NULL}};
    struct reply reply = {.status = 200, .type = "text/event-stream", .headers = headers};
    struct reply_source source;
    if (!guard_admits(request, REACH_READING))
        return;
    int err = hub_join(site_of(request)->hub, last_seen(request), &source);
    if (err == 0)
        reply_stream(request, &reply, &source);
    else
        answer_line(request, 503, NULL,
                    err == -EBUSY ? "no more streams are served" : "out of memory");
}

const struct handler admin_events = {.conf = {.name = "events", .methods = "GET, HEAD"},
                                     .serve = serve};
