/* What becomes of a request whose server has failed. */
#include "config.h"

#include <stdio.h>

#include "base/access_format.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "http/reply.h"
#include "http/request.h"
#include "proxy/backend.h"
#include "proxy/failover.h"
#include "proxy/forward_state.h"
#include "proxy/proxy_log.h"
#include "proxy/proxy_state.h"
#include "proxy/upstream.h"

void forward_refuse(struct forward *forward, int status, const char *text)
{
    struct http_request *request = forward->request;
    forward_end(forward);
    reply_error(request, status, text);
}

static unsigned status_of(unsigned reason)
{
    return reason == CONF_NEXT_TIMEOUT ? 504 : 502;
}

/* If nobody at all was asked, the access log has the upstream itself in the place of a server. */
void forward_give_up(struct forward *forward)
{
    const struct access_attempt none = {.server = forward->upstream->conf->title,
                                        .status = status_of(forward->last_reason),
                                        .connect_us = -1,
                                        .header_us = -1};
    if (forward->attempts == 0)
        request_note_upstream(forward->request, &none);
    if (forward->last_reason == CONF_NEXT_TIMEOUT)
        forward_refuse(forward, 504, "the upstream server did not answer in time");
    else
        forward_refuse(forward, 502, "no upstream server could answer");
}

void forward_break_off(struct forward *forward, const char *why)
{
    proxy_log(forward, why);
    if (forward->phase == FORWARD_ANSWERING) {
        forward->is_broken = true;
        forward_wake(forward);
        return;
    }
    forward_drop(forward);
    forward_tell(forward, BALANCER_CANCELLED, 503);
    forward_refuse(forward, 503, "this server is short of something, try again later");
}

static struct failover describe(const struct forward *forward, unsigned reason)
{
    return (struct failover){
        .reason = reason,
        .method = request_method(forward->request),
        .is_sent = forward->has_sent,
        .is_replayable = forward->is_replayable,
        .attempts = forward->attempts,
        .elapsed_ms = (clock_now_us() - forward->began_us) / 1000,
    };
}

/*
 * The server has closed a connection that waited for a request, at the very moment
 * at which one was sent: it does not count, and the same server is tried anew.
 */
static bool is_stale(const struct forward *forward, unsigned reason)
{
    return reason == CONF_NEXT_ERROR && forward->phase == FORWARD_ASKING &&
           forward->backend != NULL && forward->backend->n_requests > 1 && forward->in.len == 0 &&
           forward->interims == 0;
}

/* A server that closes while it waits for a client's body may well have had enough of that client.
 */
void forward_fail(struct forward *forward, unsigned reason, const char *why)
{
    struct failover failover = describe(forward, reason);
    bool was_stale = is_stale(forward, reason);
    failover.attempts -= was_stale;
    bool may_repeat = failover_is_allowed(forward->upstream->conf, &failover);
    if (was_stale && may_repeat) {
        forward_drop(forward);
        forward->has_sent = false;
        forward->is_deaf = false;
        forward_go(forward, true);
        return;
    }
    proxy_log(forward, why);
    bool is_clients = reason == CONF_NEXT_ERROR && forward->is_asked;
    forward_drop(forward);
    forward_tell(forward, is_clients ? BALANCER_CANCELLED : BALANCER_FAILED, status_of(reason));
    forward->last_reason = reason;
    if (may_repeat)
        forward_attempt(forward);
    else if (reason == CONF_NEXT_TIMEOUT)
        forward_refuse(forward, 504, "the upstream server did not answer in time");
    else
        forward_refuse(forward, 502, "the upstream server failed");
}

/* What a server does not have or does not give is no failure of it: nginx agrees. */
static enum balancer_outcome outcome_of(unsigned reason)
{
    bool is_answer = reason == CONF_NEXT_HTTP_403 || reason == CONF_NEXT_HTTP_404;
    return is_answer ? BALANCER_OK : BALANCER_FAILED;
}

bool forward_tries_another(struct forward *forward, unsigned reason)
{
    char why[32];
    struct balancer_pick failed = forward->pick;
    struct access_attempt past = forward_outline(forward, (unsigned)forward->response.status);
    struct failover failover = describe(forward, reason);
    past.server = failed.name;
    snprintf(why, sizeof why, "it answered %d", forward->response.status);
    if (outcome_of(reason) == BALANCER_FAILED)
        proxy_log(forward, why);
    if (!failover_is_allowed(forward->upstream->conf, &failover) || forward_choose(forward) != 0)
        return false;
    request_note_upstream(forward->request, &past);
    balancer_done(forward->upstream->balancer, forward->proxy->settings.place, &failed,
                  outcome_of(reason), clock_now_ms(), past.header_us);
    forward_drop(forward);
    forward_go(forward, false);
    return true;
}
