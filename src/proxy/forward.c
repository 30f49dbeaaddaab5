#include "config.h"

#include "proxy/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "base/access_format.h"
#include "base/clock.h"
#include "http/reply.h"
#include "http/request.h"
#include "proxy/backend.h"
#include "proxy/forward_state.h"
#include "proxy/proxy_state.h"
#include "proxy/upstream.h"

struct access_attempt forward_outline(const struct forward *forward, unsigned status)
{
    return (struct access_attempt){.server = forward->pick.name,
                                   .status = status,
                                   .connect_us = forward->connect_us,
                                   .header_us = forward->latency_us,
                                   .response_us = clock_now_us() - forward->pick.began_us};
}

void forward_tell(struct forward *forward, enum balancer_outcome outcome, unsigned status)
{
    if (!forward->is_picked)
        return;
    const struct access_attempt attempt = forward_outline(forward, status);
    request_note_upstream(forward->request, &attempt);
    forward->is_picked = false;
    balancer_done(forward->upstream->balancer, forward->proxy->settings.place, &forward->pick,
                  outcome, clock_now_ms(), forward->latency_us);
}

void forward_drop(struct forward *forward)
{
    backend_close(forward->backend);
    forward->backend = NULL;
    bytes_clear(&forward->in);
}

void forward_release(struct forward *forward, bool is_reusable)
{
    struct backend *backend = forward->backend;
    bool has_answered = forward->latency_us >= 0;
    unsigned status = has_answered ? (unsigned)forward->response.status : 0;
    forward_tell(forward, has_answered ? BALANCER_OK : BALANCER_CANCELLED, status);
    if (forward->is_asked)
        request_read_body(forward->request, NULL);
    forward->is_asked = false;
    forward->backend = NULL;
    if (backend == NULL)
        return;
    request_end_with_client(forward->request, false); /* there is nothing to cancel any more */
    if (is_reusable)
        upstream_keep(forward->upstream, backend);
    else
        backend_close(backend);
}

void forward_end(struct forward *forward)
{
    forward_release(forward, false);
    forward->is_over = true;
    if (forward->is_held)
        return;
    bytes_free(&forward->out);
    bytes_free(&forward->kept);
    bytes_free(&forward->in);
    bytes_free(&forward->trailers);
    free(forward->trailer);
    free(forward);
}

static void on_gone(struct http_request *request, void *arg)
{
    (void)request;
    forward_end(arg);
}

static void refuse(struct http_request *request, int err)
{
    if (err == -ELOOP)
        reply_error(request, 508, "it has passed too many proxies, see Via");
    else
        reply_error(request, 400, "there are too many Connection fields");
}

void forward_begin(struct http_request *request, struct proxy *proxy,
                   const struct proxy_route *route)
{
    int err = forward_judge(request);
    if (err != 0) {
        refuse(request, err);
        return;
    }
    struct forward *forward = calloc(1, sizeof *forward);
    if (forward == NULL) {
        reply_error(request, 503, "out of memory");
        return;
    }
    forward->request = request;
    forward->proxy = proxy;
    forward->route = route;
    forward->upstream = route->upstream;
    forward->began_us = clock_now_us();
    forward->is_replayable = true;
    forward->has_ended = request_body_length(request) == 0;
    request_suspend(request, on_gone, forward);
    request_end_with_client(request, true);
    forward_attempt(forward);
}
