/* The probes of orchestrators: /livez, /readyz, /startupz. They cost no question to the master. */
#include "config.h"

#include "admin/answer.h"
#include "admin/guard.h"
#include "admin/site_state.h"
#include "base/clock.h"
#include "http/handlers/handler.h"
#include "ipc/scoreboard.h"
#include "life/crew.h"

/* What all three look at. */
struct view {
    struct scoreboard_instance instance;
    struct crew crew;
    int64_t now_ms;
};

static void look(const struct http_request *request, struct view *view)
{
    const struct admin_site_settings *settings = &site_of(request)->settings;
    view->now_ms = clock_now_ms();
    scoreboard_read_instance(settings->scoreboard, &view->instance);
    crew_read(settings->scoreboard, view->now_ms, settings->conf->instance.hang_timeout_ms,
              &view->crew);
}

static struct verdict judge_life(const struct view *view)
{
    return crew_judge_life(&view->instance, &view->crew, view->now_ms);
}

static struct verdict judge_readiness(const struct view *view)
{
    return crew_judge_readiness(&view->instance, &view->crew);
}

static struct verdict judge_start(const struct view *view)
{
    return crew_judge_start(&view->instance);
}

static void probe(struct http_request *request, struct verdict (*judge)(const struct view *view))
{
    struct view view;
    if (!guard_admits(request, REACH_NOTHING))
        return;
    look(request, &view);
    struct verdict verdict = judge(&view);
    answer_line(request, verdict.is_good ? 200 : 503, NULL, verdict.text);
}

static void serve_livez(struct http_request *request)
{
    probe(request, judge_life);
}

static void serve_readyz(struct http_request *request)
{
    probe(request, judge_readiness);
}

static void serve_startupz(struct http_request *request)
{
    probe(request, judge_start);
}

const struct handler admin_livez = {.conf = {.name = "livez", .methods = "GET, HEAD"},
                                    .serve = serve_livez};
const struct handler admin_readyz = {.conf = {.name = "readyz", .methods = "GET, HEAD"},
                                     .serve = serve_readyz};
const struct handler admin_startupz = {.conf = {.name = "startupz", .methods = "GET, HEAD"},
                                       .serve = serve_startupz};
