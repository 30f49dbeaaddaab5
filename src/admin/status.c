/* GET /status: what the master says of itself and its processes. */
#include "config.h"

#include "admin/answer.h"
#include "admin/feed.h"
#include "admin/guard.h"
#include "admin/site_state.h"
#include "http/handlers/handler.h"
#include "http/reply.h"
#include "http/request.h"

/* So old may it be: who asks often costs the master nothing. */
#define MAX_AGE_MS 200

static void on_status(const struct feed_status *status, void *arg)
{
    static const struct reply_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    struct http_request *request = arg;
    struct reply reply = {.status = 200,
                          .type = "application/json",
                          .body = status->json,
                          .len = status->len,
                          .headers = headers};
    if (status->json != NULL)
        reply_send(request, &reply);
    else
        answer_line(request, 503, NULL, status->why);
}

static void on_gone(struct http_request *request, void *arg)
{
    (void)request;
    feed_forget(arg);
}

static void serve(struct http_request *request)
{
    if (!guard_admits(request, REACH_READING))
        return;
    struct feed_question *question = request_memory(request, sizeof *question);
    if (question == NULL) {
        answer_line(request, 503, NULL, "out of memory");
        return;
    }
    *question = (struct feed_question){.told = on_status, .arg = request};
    request_suspend(request, on_gone, question);
    feed_ask(site_of(request)->feed, MAX_AGE_MS, question);
}

const struct handler admin_status = {.conf = {.name = "status", .methods = "GET, HEAD"},
                                     .serve = serve};
