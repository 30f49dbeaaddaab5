/* One server after the other: who is asked, and what happens on the connection to it. */
#include "config.h"

#include <errno.h>
#include <string.h>

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

void forward_wake(struct forward *forward)
{
    struct reply_stream *stream = forward->stream;
    forward->stream = NULL;
    if (stream != NULL)
        reply_wake(stream);
}

static void on_readable(void *arg)
{
    struct forward *forward = arg;
    if (forward->phase == FORWARD_ASKING)
        forward_read_answer(forward);
    else if (forward->stream != NULL)
        forward_wake(forward);
    else /* until the client has taken what came before */
        (void)!backend_watch(forward->backend, false, forward->backend->writes);
}

static void begin_asking(struct forward *forward)
{
    bool is_new = forward->backend->n_requests++ == 0;
    forward->phase = FORWARD_ASKING;
    forward->connect_us = is_new ? clock_now_us() - forward->pick.began_us : 0;
    forward->interims = 0;
    forward->is_last = false;
    forward_render_head(forward);
    forward_expect_head(forward);
    forward_replay(forward);
    forward_push(forward);
}

static void on_writable(void *arg)
{
    struct forward *forward = arg;
    if (forward->phase != FORWARD_CONNECTING) {
        forward_push(forward);
        return;
    }
    int err = backend_connected(forward->backend);
    if (err != 0)
        forward_fail(forward, CONF_NEXT_ERROR, strerror(-err));
    else
        begin_asking(forward);
}

static void on_late(void *arg)
{
    struct forward *forward = arg;
    if (forward->phase == FORWARD_CONNECTING)
        forward_fail(forward, CONF_NEXT_TIMEOUT, "connecting took too long");
    else if (forward->phase == FORWARD_ASKING && forward->sent < forward->out.len)
        forward_fail(forward, CONF_NEXT_TIMEOUT, "it took no more of the request for too long");
    else if (forward->phase == FORWARD_ASKING)
        forward_fail(forward, CONF_NEXT_TIMEOUT, "it did not answer in time");
    else if (forward->sent < forward->out.len)
        forward_break_off(forward, "it took no more of what the client sends for too long");
    else if (forward->stream != NULL) /* else the client is to take what came before */
        forward_break_off(forward, "nothing more of its answer came for too long");
}

static const struct backend_calls calls = {on_readable, on_writable, on_late};

static void begin_connecting(struct forward *forward);

/* What this process is short of is not the server's fault; a connection that waits may go for it.
 */
static void fail_to_connect(struct forward *forward, int err)
{
    bool is_short = err == -EMFILE || err == -ENFILE || err == -EADDRNOTAVAIL;
    if (is_short && proxy_shed(forward->proxy))
        begin_connecting(forward);
    else if (is_short || err == -ENOMEM || err == -ENOBUFS)
        forward_break_off(forward, strerror(-err));
    else
        forward_fail(forward, CONF_NEXT_ERROR, strerror(-err));
}

static void begin_connecting(struct forward *forward)
{
    bool is_connected;
    int err = backend_connect(forward->proxy->settings.base, &forward->pick, &forward->backend,
                              &is_connected);
    if (err != 0) {
        fail_to_connect(forward, err);
        return;
    }
    backend_use(forward->backend, &calls, forward);
    if (is_connected) {
        begin_asking(forward);
    } else if (backend_watch(forward->backend, false, true) != 0) {
        forward_break_off(forward, strerror(ENOMEM));
    } else {
        forward->phase = FORWARD_CONNECTING;
        backend_limit(forward->backend, forward->upstream->connect_limit);
    }
}

int forward_choose(struct forward *forward)
{
    int err = balancer_choose(forward->upstream->balancer, forward->proxy->settings.place,
                              &forward->tried, request_client(forward->request), clock_now_ms(),
                              &forward->pick);
    if (err != 0)
        return err;
    forward->is_picked = true;
    forward->attempts++;
    forward->pick.began_us = clock_now_us();
    forward->connect_us = -1;
    forward->latency_us = -1;
    forward->has_sent = false;
    forward->is_deaf = false;
    return 0;
}

void forward_go(struct forward *forward, bool anew)
{
    forward->phase = FORWARD_CONNECTING;
    forward->backend = anew ? NULL : upstream_take(forward->upstream, &forward->pick);
    if (forward->backend == NULL) {
        begin_connecting(forward);
        return;
    }
    backend_use(forward->backend, &calls, forward);
    begin_asking(forward);
}

void forward_attempt(struct forward *forward)
{
    int err = forward_choose(forward);
    if (err == 0) {
        forward_go(forward, false);
        return;
    }
    if (forward->attempts == 0)
        proxy_log(forward,
                  err == -EAGAIN ? "the balancer's lock is held" : "no server is up and has room");
    forward_give_up(forward);
}
