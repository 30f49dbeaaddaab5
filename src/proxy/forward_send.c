/* A request on its way to a server of an upstream. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "http/request.h"
#include "proxy/backend.h"
#include "proxy/forward_state.h"
#include "proxy/upstream.h"

/* More memory than this is not kept for the next piece: tunnels are silent for long. */
#define KEPT_BYTES 4096

/* While the client is to send more of the body, it is the client who has to hurry. */
int forward_await(struct forward *forward)
{
    bool is_servers_turn =
        forward->has_ended || forward->is_deaf || forward->phase == FORWARD_ANSWERING;
    backend_limit(forward->backend, is_servers_turn ? forward->upstream->read_limit : NULL);
    return backend_watch(forward->backend, true, false);
}

/* Too much, or more than there is memory for: it is sent once. */
static void bound_kept(struct forward *forward)
{
    const struct bytes *kept = &forward->kept;
    if (!kept->failed && kept->len <= (size_t)forward->upstream->conf->retry_body_bytes)
        return;
    forward->is_replayable = false;
    bytes_free(&forward->kept);
}

static void keep(struct forward *forward, const char *data, size_t len, bool last)
{
    if (!forward->is_replayable)
        return;
    forward_add_piece(forward, &forward->kept, data, len, last);
    if (forward->phase != FORWARD_CONNECTING) /* else it is sent from there */
        bound_kept(forward);
}

static void on_piece(struct http_request *request, const char *data, size_t len, bool last)
{
    struct forward *forward = request_suspended(request);
    bool is_tunnel = forward->response.is_upgrade;
    forward->is_asked = false;
    forward->has_ended = last;
    if (is_tunnel)
        bytes_add(&forward->out, data, len);
    else if (forward->phase != FORWARD_CONNECTING)
        forward_add_piece(forward, &forward->out, data, len, last);
    if (!is_tunnel)
        keep(forward, data, len, last);
    if (forward->phase != FORWARD_CONNECTING)
        forward_push(forward);
}

static void ask_for_piece(struct forward *forward)
{
    if (forward->has_ended || forward->is_asked || forward->is_deaf)
        return;
    forward->is_asked = true;
    request_read_body(forward->request, on_piece);
}

/* All that there was is out, or the server does not want it. */
static int rest(struct forward *forward)
{
    if (forward->out.size > KEPT_BYTES)
        bytes_free(&forward->out);
    else
        bytes_clear(&forward->out);
    forward->sent = 0;
    if (forward->response.is_upgrade && forward->has_ended)
        shutdown(forward->backend->fd, SHUT_WR);
    return forward_await(forward);
}

int forward_await_room(struct forward *forward)
{
    backend_limit(forward->backend, forward->upstream->send_limit);
    return backend_watch(forward->backend, true, true);
}

/* Returns 0 or -errno. */
static int send_out(struct forward *forward)
{
    struct bytes *out = &forward->out;
    while (forward->sent < out->len) {
        ssize_t n = send(forward->backend->fd, out->at + forward->sent, out->len - forward->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return -errno;
        forward->sent += (size_t)n;
        forward->has_sent = true;
    }
    return 0;
}

void forward_replay(struct forward *forward)
{
    bytes_add(&forward->out, forward->kept.at, forward->kept.len);
    forward->out.failed |= forward->kept.failed;
    forward->sent = 0;
    bound_kept(forward);
}

void forward_push(struct forward *forward)
{
    int err = forward->out.failed ? -ENOMEM : send_out(forward);
    bool is_full = err == -EAGAIN || err == -EINTR;
    bool is_short = err == -ENOMEM;
    if (is_full) {
        is_short = forward_await_room(forward) != 0;
    } else if (!is_short) {
        forward->is_deaf |= err != 0;
        is_short = rest(forward) != 0;
    }
    if (is_short)
        forward_break_off(forward, strerror(ENOMEM));
    else if (!is_full)
        ask_for_piece(forward);
}
