/* GET /metrics, for Prometheus. */
#include "config.h"

#include "admin/answer.h"
#include "admin/guard.h"
#include "admin/metrics_registry.h"
#include "admin/metrics_report.h"
#include "admin/metrics_text.h"
#include "admin/metrics_upstreams.h"
#include "admin/site_state.h"
#include "base/clock.h"
#include "http/handlers/handler.h"
#include "http/reply.h"

static void serve(struct http_request *request)
{
    static const struct reply_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    const struct admin_site *site = site_of(request);
    struct metrics_moment moment = {clock_now_ms(), site->epoch_ms};
    struct bytes text = {.at = NULL};
    if (!guard_admits(request, REACH_READING))
        return;
    metrics_report(site->settings.scoreboard, &moment, &text);
    metrics_upstreams(site->settings.balancer, moment.now_ms, &text);
    if (site->settings.conf->registry.type != CONF_REGISTRY_NONE)
        metrics_registry(site->settings.directory, &text);
    struct reply reply = {
        .status = 200, .type = METRICS_TYPE, .body = text.at, .len = text.len, .headers = headers};
    if (text.failed)
        answer_line(request, 503, NULL, "out of memory");
    else
        reply_send(request, &reply);
    bytes_free(&text);
}

const struct handler admin_metrics = {.conf = {.name = "metrics", .methods = "GET, HEAD"},
                                      .serve = serve};
