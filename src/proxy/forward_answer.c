/* The answer of a server of an upstream, on its way to the client. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "http/fields.h"
#include "http/octets.h"
#include "http/reply.h"
#include "http/request.h"
#include "proxy/backend.h"
#include "proxy/failover.h"
#include "proxy/forward_state.h"
#include "proxy/hop_by_hop.h"
#include "proxy/proxy_log.h"
#include "proxy/proxy_state.h"

/* More interim answers than this are a fault. */
#define MAX_INTERIMS 64

#define MAX_FIELDS 1000

#define MAX_CONNECTIONS 8

/* --- The head ----------------------------------------------------------------- */

/* Returns how many there are, perhaps more than have room. */
static size_t find_connections(const struct response *response, const char *head,
                               struct slice found[MAX_CONNECTIONS])
{
    struct slice name, value;
    size_t n = 0;
    for (size_t at = 0; response_next_field(response, head, &at, &name, &value);)
        if (OCTETS_ARE(name, "connection") && n++ < MAX_CONNECTIONS)
            found[n - 1] = value;
    return n;
}

/* The length is written anew; trailers are announced where they can come. */
static bool is_passed(const struct forward *forward, struct slice name)
{
    bool has_trailers =
        forward->response.framing == RESPONSE_CHUNKED && request_minor(forward->request) > 0;
    return !OCTETS_ARE(name, "content-length") && (has_trailers || !OCTETS_ARE(name, "trailer"));
}

/* Render what is passed on of the head; *ret_is_dated: whether there is a Date. */
static void render_lines(const struct forward *forward, const char *head, bool *ret_is_dated)
{
    const struct response *response = &forward->response;
    struct bytes *lines = &forward->proxy->lines;
    struct slice connections[MAX_CONNECTIONS], name, value;
    size_t n = find_connections(response, head, connections);
    bytes_clear(lines);
    *ret_is_dated = false;
    for (size_t at = 0; response_next_field(response, head, &at, &name, &value);) {
        bool is_upgrade = response->is_upgrade && OCTETS_ARE(name, "upgrade");
        if (!is_upgrade && (!is_passed(forward, name) || hop_by_hop(&name, connections, n)))
            continue;
        fields_add(lines, name, value);
        *ret_is_dated |= OCTETS_ARE(name, "date");
    }
    if (response->is_upgrade)
        bytes_add_text(lines, "Connection: upgrade\r\n");
}

/* The phrase, perhaps empty; NULL: it is the usual one, or memory is short. */
static const char *reason_of(const struct forward *forward)
{
    const struct response *response = &forward->response;
    const char *usual = reply_reason(response->status);
    if (response->reason.len == 0)
        return "";
    if (strlen(usual) == response->reason.len &&
        memcmp(usual, response->reason.at, response->reason.len) == 0)
        return NULL;
    char *copy = request_memory(forward->request, response->reason.len + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, response->reason.at, response->reason.len);
    copy[response->reason.len] = '\0';
    return copy;
}

/* --- The body ----------------------------------------------------------------- */

/* What some bytes of it have come to. */
enum progress { PROGRESS_MORE, PROGRESS_WHOLE, PROGRESS_BROKEN };

static int write_on(struct forward *forward, struct reply_stream *stream, const char *at,
                    size_t len)
{
    forward->has_written |= len > 0;
    return reply_write(stream, at, len);
}

static enum progress take_chunks(struct forward *forward, struct reply_stream *stream,
                                 const char *at, size_t len, size_t *taken)
{
    struct bytes *trailers = &forward->trailers;
    *taken = 0;
    for (;;) {
        struct slice data;
        size_t now;
        int r = chunk_feed(&forward->chunk, at + *taken, len - *taken, &now, &data);
        *taken += now;
        if (r == CHUNK_DATA && write_on(forward, stream, data.at, data.len) != 0)
            return PROGRESS_BROKEN;
        if (r == CHUNK_TRAILER)
            fields_add(trailers, forward->trailer->name, forward->trailer->value);
        if (r == CHUNK_MORE)
            return PROGRESS_MORE;
        if (r == CHUNK_DONE)
            return reply_trailers(stream, trailers->at, trailers->len) == 0 ? PROGRESS_WHOLE
                                                                            : PROGRESS_BROKEN;
        if (r >= 400) {
            proxy_log(forward, forward->chunk.why);
            return PROGRESS_BROKEN;
        }
    }
}

static enum progress take_counted(struct forward *forward, struct reply_stream *stream,
                                  const char *at, size_t len, size_t *taken)
{
    *taken = len < forward->left ? len : (size_t)forward->left;
    forward->left -= *taken;
    if (write_on(forward, stream, at, *taken) != 0)
        return PROGRESS_BROKEN;
    return forward->left == 0 ? PROGRESS_WHOLE : PROGRESS_MORE;
}

/* Bytes of the body: write them on. What is not taken comes after its end. */
static enum progress take(struct forward *forward, struct reply_stream *stream, const char *at,
                          size_t len, size_t *taken)
{
    if (forward->response.framing == RESPONSE_CHUNKED)
        return take_chunks(forward, stream, at, len, taken);
    if (forward->response.framing == RESPONSE_LENGTH)
        return take_counted(forward, stream, at, len, taken);
    *taken = len;
    return write_on(forward, stream, at, len) == 0 ? PROGRESS_MORE : PROGRESS_BROKEN;
}

/* The server has closed. */
static enum reply_next end_by_close(struct forward *forward, int error)
{
    bool is_end = forward->response.framing == RESPONSE_UNTIL_CLOSE || forward->response.is_upgrade;
    if (is_end && error == 0)
        return REPLY_END;
    proxy_log(forward, error != 0 ? strerror(error) : "it closed in the middle of its answer");
    return REPLY_BREAK;
}

/* Whether the server's connection can take another request; `has_more`: bytes follow the answer. */
static bool is_reusable(const struct forward *forward, bool has_more)
{
    bool is_sent = forward->has_ended && forward->out.len == 0 && !forward->is_deaf;
    return is_sent && !has_more && forward->response.keep_alive && !forward->is_last;
}

/* Let the connection go before the client is served to the end: it may be of use by then. */
static enum reply_next end_whole(struct forward *forward, bool has_more)
{
    forward_release(forward, is_reusable(forward, has_more));
    return REPLY_END;
}

static enum reply_next wait(struct forward *forward, struct reply_stream *stream)
{
    bool is_sending = forward->out.len > 0;
    int err = is_sending ? forward_await_room(forward) : forward_await(forward);
    forward->stream = stream;
    return err == 0 ? REPLY_WAIT : REPLY_BREAK;
}

/* What has come with the head, or the next that there is. */
static enum reply_next more(struct reply_stream *stream, void *arg)
{
    struct forward *forward = arg;
    size_t taken;
    if (forward->is_broken)
        return REPLY_BREAK;
    for (;;) {
        char *at = forward->in.at;
        ssize_t len = (ssize_t)forward->in.len;
        if (len == 0) {
            at = forward->proxy->scratch;
            len = recv(forward->backend->fd, at, PROXY_SCRATCH_BYTES, MSG_DONTWAIT);
        }
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return wait(forward, stream);
        if (len <= 0)
            return end_by_close(forward, len < 0 ? errno : 0);
        forward->has_written = false;
        enum progress progress = take(forward, stream, at, (size_t)len, &taken);
        bytes_clear(&forward->in);
        if (progress == PROGRESS_BROKEN)
            return REPLY_BREAK;
        if (progress == PROGRESS_WHOLE)
            return end_whole(forward, taken < (size_t)len);
        if (forward->has_written)
            return REPLY_MORE;
    }
}

static void over(void *arg)
{
    forward_end(arg);
}

/* --- Passing on ----------------------------------------------------------------- */

static struct reply compose(const struct forward *forward, const char *head)
{
    const struct bytes *lines = &forward->proxy->lines;
    bool is_dated;
    render_lines(forward, head, &is_dated);
    return (struct reply){.status = forward->response.status,
                          .reason = reason_of(forward),
                          .lines = lines->at,
                          .lines_len = lines->len,
                          .is_dated = is_dated};
}

/* The whole body is here: one call sends it all. */
static void pass_whole(struct forward *forward, struct reply *reply, const char *body, size_t len)
{
    struct http_request *request = forward->request;
    const struct response *response = &forward->response;
    bool has_body = response->framing == RESPONSE_LENGTH;
    reply->len = (size_t)response->content_length;
    reply->body = body;
    forward_release(forward, is_reusable(forward, len > (has_body ? reply->len : 0)));
    reply_send(request, reply);
    forward_end(forward);
}

static void prepare_chunks(struct forward *forward)
{
    chunk_init(&forward->chunk);
    forward->trailer = malloc(sizeof *forward->trailer);
    if (forward->trailer != NULL)
        chunk_keep_trailers(&forward->chunk, forward->trailer);
}

/* Pass on what comes as it comes; in a tunnel, in the other direction as well. */
static void pass_stream(struct forward *forward, struct reply *reply, const char *rest, size_t len)
{
    const struct response *response = &forward->response;
    bool is_known = response->framing == RESPONSE_LENGTH ||
                    (response->framing == RESPONSE_NO_BODY && response->has_length);
    const struct reply_source source = {is_known ? response->content_length : REPLY_LENGTH_UNKNOWN,
                                        more, over, forward};
    if (forward->in.len > 0)
        bytes_take(&forward->in, (size_t)(rest - forward->in.at));
    else
        bytes_add(&forward->in, rest, len);
    if (forward->in.failed) {
        forward_break_off(forward, strerror(ENOMEM));
        return;
    }
    forward->phase = FORWARD_ANSWERING;
    forward->left = response->content_length;
    if (!response->is_upgrade && response->framing == RESPONSE_NO_BODY) /* HEAD */
        forward_release(forward, is_reusable(forward, len > 0));
    if (response->framing == RESPONSE_CHUNKED)
        prepare_chunks(forward);
    if (response->is_upgrade)
        forward->has_ended = false;
    forward->is_held = true;
    reply_stream(forward->request, reply, &source);
    forward->is_held = false;
    if (forward->is_over)
        forward_end(forward);
    else if (response->is_upgrade)
        forward_push(forward);
}

static void pass_on(struct forward *forward, const char *head, const char *rest, size_t len)
{
    const struct response *response = &forward->response;
    bool is_head = strcmp(request_method(forward->request), "HEAD") == 0;
    bool is_here = response->framing == RESPONSE_NO_BODY ||
                   (response->framing == RESPONSE_LENGTH && len >= response->content_length);
    struct reply reply = compose(forward, head);
    if (!response->is_upgrade && is_here && !(is_head && !response->has_length))
        pass_whole(forward, &reply, rest, len);
    else
        pass_stream(forward, &reply, rest, len);
}

/* RFC 9110 section 15.2; 100 was said to the client by ourselves. */
static bool pass_interim(struct forward *forward, const char *head)
{
    bool is_dated;
    if (++forward->interims > MAX_INTERIMS)
        return false;
    render_lines(forward, head, &is_dated);
    if (forward->response.status != 100)
        reply_interim(forward->request, forward->response.status, forward->proxy->lines.at,
                      forward->proxy->lines.len);
    return true;
}

void forward_expect_head(struct forward *forward)
{
    response_init(&forward->response, strcmp(request_method(forward->request), "HEAD") == 0,
                  forward->wants_upgrade);
}

static void take_answer(struct forward *forward, const char *head, size_t len)
{
    const struct response *response = &forward->response;
    unsigned reason = failover_status(forward->upstream->conf, response->status);
    forward->latency_us = clock_now_us() - forward->pick.began_us;
    if (reason != 0 && forward_tries_another(forward, reason))
        return;
    backend_limit(forward->backend, NULL);
    pass_on(forward, head, head + response->len, len - response->len);
}

/* Heads that have come, one after the other; what is not taken is kept in `in`. */
static void take_heads(struct forward *forward, const char *bytes, size_t len)
{
    struct response *response = &forward->response;
    const struct response_limits limits = {(size_t)forward->upstream->conf->max_header_bytes,
                                           MAX_FIELDS};
    struct slice connections[MAX_CONNECTIONS];
    size_t at = 0;
    int r;
    while ((r = response_feed(response, &limits, bytes + at, len - at)) == RESPONSE_DONE) {
        if (find_connections(response, bytes + at, connections) > MAX_CONNECTIONS) {
            forward_fail(forward, CONF_NEXT_INVALID_HEADER, "it has too many Connection fields");
            return;
        }
        if (response->status >= 200 || response->is_upgrade) {
            take_answer(forward, bytes + at, len - at);
            return;
        }
        if (!pass_interim(forward, bytes + at)) {
            forward_fail(forward, CONF_NEXT_INVALID_HEADER, "it gave too many interim answers");
            return;
        }
        at += response->len;
        forward->is_last |= !response->keep_alive;
        forward_expect_head(forward);
    }
    if (r < 0) {
        forward_fail(forward, CONF_NEXT_INVALID_HEADER, response->why);
        return;
    }
    if (bytes == forward->in.at)
        bytes_take(&forward->in, at);
    else
        bytes_add(&forward->in, bytes + at, len - at);
    if (forward_await(forward) != 0) /* its time begins anew */
        forward_break_off(forward, strerror(ENOMEM));
}

void forward_read_answer(struct forward *forward)
{
    char *scratch = forward->proxy->scratch;
    ssize_t n = recv(forward->backend->fd, scratch, PROXY_SCRATCH_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        forward_fail(forward, CONF_NEXT_ERROR, n < 0 ? strerror(errno) : "it closed unanswered");
        return;
    }
    if (forward->in.len == 0) {
        take_heads(forward, scratch, (size_t)n);
        return;
    }
    bytes_add(&forward->in, scratch, (size_t)n);
    if (forward->in.failed)
        forward_break_off(forward, strerror(ENOMEM));
    else
        take_heads(forward, forward->in.at, forward->in.len);
}
