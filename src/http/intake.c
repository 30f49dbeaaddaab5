#include "config.h"

#include "http/intake.h"

#include <errno.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "http/connection.h"
#include "http/crowd.h"
#include "http/dispatch.h"
#include "http/exchange.h"
#include "http/fields.h"
#include "http/request.h"
#include "http/server_state.h"

static const struct conf_http *settings_of(const struct connection *connection)
{
    return &connection->server->settings.conf->http;
}

static bool is_answered_now(const struct connection *connection)
{
    return connection->phase == CONNECTION_ANSWERING || connection->phase == CONNECTION_SENDING;
}

void intake_refuse(struct connection *connection, int status, enum http_limit limit,
                   const char *why)
{
    limit_hit(&connection->server->limits, limit, connection_client(connection), why);
    connection_take_no_more(connection);
    exchange_refuse(connection, status, why);
}

static enum http_limit limit_of(const struct head *head, int status)
{
    static const enum http_limit limits[] = {[HEAD_LIMIT_NONE] = LIMIT_MALFORMED,
                                             [HEAD_LIMIT_BYTES] = LIMIT_HEADER_BYTES,
                                             [HEAD_LIMIT_URI] = LIMIT_URI_BYTES,
                                             [HEAD_LIMIT_FIELDS] = LIMIT_HEADERS};
    return status == 413 ? LIMIT_BODY_BYTES : limits[head->limit];
}

static enum http_limit limit_of_chunks(int status)
{
    return status == 413 ? LIMIT_BODY_BYTES : status == 431 ? LIMIT_HEADERS : LIMIT_MALFORMED;
}

/* The body is expected, and none of it has come without being asked for. */
static void say_continue(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection->invited = true;
    ssize_t n = send(connection->fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n != sizeof text - 1)
        connection_close(connection); /* it does not read what it was sent before */
}

static void begin_body(struct connection *connection, size_t here)
{
    connection_enter(connection, CONNECTION_BODY, clock_now_ms());
    connection->moved = here;
    if (!connection->invited)
        say_continue(connection);
}

static void begin_streaming(struct connection *connection)
{
    connection->streams = true;
    connection->waited_ms = 0;
    connection->moved = 0;
    connection->trailer = request_memory(&connection->request, sizeof *connection->trailer);
    if (connection->trailer != NULL)
        chunk_keep_trailers(&connection->chunk, connection->trailer);
    exchange_serve(connection, false);
}

static void expect_body(struct connection *connection, size_t here)
{
    struct head *head = &connection->head;
    connection->body_max = exchange_body_max(connection);
    if (dispatch_refuses(&connection->request, head->expects_continue)) {
        connection_take_no_more(connection);
        exchange_serve(connection, false);
        return;
    }
    if (head->framing == HEAD_LENGTH && head->content_length > connection->body_max) {
        intake_refuse(connection, 413, LIMIT_BODY_BYTES, "the body is too large");
        return;
    }
    connection->body_left = head->content_length;
    connection->invited = !head->expects_continue || here > 0;
    chunk_init(&connection->chunk);
    if (exchange_keep_head(connection) != 0)
        intake_refuse(connection, 503, LIMIT_NONE, "out of memory");
    else if (dispatch_streams(&connection->request))
        begin_streaming(connection);
    else
        begin_body(connection, here);
}

/* Each returns how many bytes it has taken; 0: it needs more, or the connection is through. */
static size_t take_head(struct connection *connection, const char *bytes, size_t len)
{
    struct head *head = &connection->head;
    int status = head_feed(head, &connection->server->head_limits, bytes, len);
    if (status == HEAD_MORE)
        return 0;
    if (status != HEAD_DONE) {
        intake_refuse(connection, status, limit_of(head, status), head->why);
        return 0;
    }
    size_t taken = head->len;
    exchange_begin(connection, bytes);
    if (head->framing != HEAD_NO_BODY)
        expect_body(connection, len - taken);
    else
        exchange_serve(connection, len > taken);
    return taken;
}

static size_t add_to_body(struct connection *connection, const char *bytes, size_t len)
{
    struct http_server *server = connection->server;
    connection->request.received += len;
    if (server->body_bytes + len > (uint64_t)settings_of(connection)->max_bodies_bytes) {
        intake_refuse(connection, 503, LIMIT_BODIES_BYTES, "too many bodies are on their way");
        return 0;
    }
    bytes_add(&connection->body, bytes, len);
    if (connection->body.failed) {
        intake_refuse(connection, 503, LIMIT_NONE, "out of memory");
        return 0;
    }
    server->body_bytes += len;
    return len;
}

static size_t take_counted(struct connection *connection, const char *bytes, size_t len)
{
    size_t part = len < connection->body_left ? len : (size_t)connection->body_left;
    part = add_to_body(connection, bytes, part);
    connection->body_left -= part;
    if (part > 0 && connection->body_left == 0)
        exchange_serve(connection, len > part);
    return part;
}

static size_t take_chunks(struct connection *connection, const char *bytes, size_t len)
{
    struct chunk_decoder *chunk = &connection->chunk;
    size_t taken = 0;
    struct slice data;
    int status = chunk_feed(chunk, bytes, len, &taken, &data);
    if (chunk->announced > connection->body_max)
        intake_refuse(connection, 413, LIMIT_BODY_BYTES, "the body is too large");
    else if (status == CHUNK_DONE)
        exchange_serve(connection, len > taken);
    else if (status >= 400)
        intake_refuse(connection, status, limit_of_chunks(status), chunk->why);
    else if (data.len > 0 && add_to_body(connection, data.at, data.len) == 0)
        return 0;
    return taken;
}

/* How long the client has kept us waiting counts together, as one wait. */
static void wait_for_piece(struct connection *connection)
{
    int64_t now_ms = clock_now_ms();
    uint64_t moved = connection->request.received - connection->head.len;
    if (connection->phase != CONNECTION_ANSWERING || connection->request.answered)
        return; /* the answer has begun, and it is the one that must go on */
    connection_enter_since(connection, CONNECTION_BODY, now_ms - connection->waited_ms, now_ms);
    connection->moved = moved;
}

static void give_piece(struct connection *connection, const char *data, size_t len, bool last)
{
    int64_t now_ms = clock_now_ms();
    connection->wants = false;
    connection->streams = !last;
    connection->request.received += len;
    if (connection->phase == CONNECTION_BODY) {
        connection->waited_ms = now_ms - connection->begun_ms;
        connection_enter(connection, CONNECTION_ANSWERING, now_ms);
    }
    connection->request.piece(&connection->request, data, len, last);
}

static size_t take_chunked_piece(struct connection *connection, const char *bytes, size_t len)
{
    struct chunk_decoder *chunk = &connection->chunk;
    size_t taken = 0;
    struct slice data;
    int status = chunk_feed(chunk, bytes, len, &taken, &data);
    if (chunk->announced > connection->body_max)
        intake_refuse(connection, 413, LIMIT_BODY_BYTES, "the body is too large");
    else if (status >= 400)
        intake_refuse(connection, status, limit_of_chunks(status), chunk->why);
    else if (status == CHUNK_TRAILER)
        fields_add(&connection->trailers, connection->trailer->name, connection->trailer->value);
    else if (status != CHUNK_MORE)
        give_piece(connection, data.at, data.len, status == CHUNK_DONE);
    return taken;
}

static size_t take_piece(struct connection *connection, const char *bytes, size_t len)
{
    if (!connection->tunnel && connection->head.framing == HEAD_CHUNKED)
        return take_chunked_piece(connection, bytes, len);
    if (!connection->tunnel && len > connection->body_left)
        len = (size_t)connection->body_left;
    connection->body_left -= connection->tunnel ? 0 : len;
    give_piece(connection, bytes, len, !connection->tunnel && connection->body_left == 0);
    return len;
}

static size_t take_body(struct connection *connection, const char *bytes, size_t len)
{
    return connection->head.framing == HEAD_CHUNKED ? take_chunks(connection, bytes, len)
                                                    : take_counted(connection, bytes, len);
}

static size_t take(struct connection *connection, const char *bytes, size_t len)
{
    if (connection->streams)
        return take_piece(connection, bytes, len);
    if (connection->phase == CONNECTION_IDLE) {
        head_init(&connection->head);
        connection->head_us = clock_now_us();
        connection_enter(connection, CONNECTION_HEAD, connection->head_us / 1000);
    }
    return connection->phase == CONNECTION_HEAD ? take_head(connection, bytes, len)
                                                : take_body(connection, bytes, len);
}

/* Whether what comes now is for the present, not for later. */
static bool takes(const struct connection *connection)
{
    return connection->streams ? connection->wants : !is_answered_now(connection);
}

/* Take requests one after the other until one is not answered at once; returns what was taken. */
static size_t run(struct connection *connection, const char *bytes, size_t len)
{
    size_t taken = 0, now = 1;
    connection->running = true;
    while (now > 0 && taken < len && !connection->refused && !connection->gone &&
           takes(connection)) {
        now = take(connection, bytes + taken, len - taken);
        taken += now;
    }
    connection->running = false;
    if (connection->wants && !connection->gone && !connection->refused)
        wait_for_piece(connection);
    return taken;
}

/* Take what has just come, from where it lies; keep what cannot be taken yet. */
static void run_new(struct connection *connection, const char *bytes, size_t len)
{
    size_t taken = 0;
    bool fresh = connection->in.len == 0 && takes(connection);
    if (fresh)
        taken = run(connection, bytes, len);
    if (connection->gone || connection->refused)
        return;
    if (taken < len)
        bytes_add(&connection->in, bytes + taken, len - taken);
    if (!fresh && !connection->in.failed)
        intake_resume(connection);
}

/* A request may lie in wait while one is answered; how many more is up to the kernel's buffer. */
static size_t room(const struct connection *connection)
{
    size_t most = connection->server->read_ahead;
    size_t have = connection->in.len;
    if (connection->streams)
        return connection->wants ? SCRATCH_BYTES : 0;
    if (!is_answered_now(connection))
        return SCRATCH_BYTES;
    return have < most ? most - have : 0;
}

static void on_end(struct connection *connection)
{
    connection->eof = true;
    event_del(&connection->read);
    if (connection->tunnel && connection->wants)
        give_piece(connection, NULL, 0, true);
    else if (!is_answered_now(connection) || connection->streams ||
             connection->request.ends_with_client)
        connection_close(connection);
}

static void receive(struct connection *connection)
{
    struct http_server *server = connection->server;
    size_t size = room(connection);
    if (size == 0) {
        connection_listen(connection, false);
        return;
    }
    ssize_t n = recv(connection->fd, server->scratch, size < SCRATCH_BYTES ? size : SCRATCH_BYTES,
                     MSG_DONTWAIT);
    if (n > 0) {
        connection->moved += is_answered_now(connection) ? 0 : (uint64_t)n;
        run_new(connection, server->scratch, (size_t)n);
    } else if (n == 0) {
        on_end(connection);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        connection_close(connection);
    }
    if (!connection->gone && connection->in.failed)
        connection_close(connection);
}

void intake_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    (void)what;
    connection_hold(connection);
    receive(connection);
    connection_release(connection);
}

void intake_resume(struct connection *connection)
{
    size_t taken;
    if (connection->running || connection->gone || connection->refused)
        return;
    do {
        taken = run(connection, connection->in.at, connection->in.len);
        if (connection->gone || connection->refused)
            return;
        bytes_take(&connection->in, taken);
    } while (taken > 0 && connection->in.len > 0 && takes(connection));
    if (connection->in.len == 0)
        bytes_free(&connection->in);
    if (connection->eof && !is_answered_now(connection))
        connection_close(connection);
    else
        connection_listen(connection, true);
}

void intake_want(struct connection *connection)
{
    connection->wants = true;
    connection_hold(connection);
    if (!connection->invited)
        say_continue(connection);
    intake_resume(connection);
    connection_release(connection);
}

void intake_welcome(struct connection *connection)
{
    struct http_server *server = connection->server;
    long most = settings_of(connection)->max_connections_per_client;
    connection_enter(connection, CONNECTION_IDLE, connection->accepted_ms);
    if (most > 0) {
        int err = crowd_enter(server->crowd, &connection->peer, (size_t)most);
        connection->counted = err == 0;
        if (err == -EBUSY) {
            intake_refuse(connection, 503, LIMIT_CLIENT_CONNECTIONS,
                          "too many connections from your address");
            return;
        }
    }
    receive(connection);
    if (!connection->gone && !connection->refused)
        connection_listen(connection, true);
}
