#include "config.h"

#include "http/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/exchange.h"
#include "http/reply_head.h"
#include "http/request.h"
#include "http/server_state.h"

/* Whether the body itself is to be sent. */
static bool sends_body(const struct http_request *request, const struct reply *reply)
{
    return reply->status == 101 ||
           (request->connection->head.verb != METHOD_HEAD && !reply_is_bodiless(reply->status));
}

/* Send after what has been there for a while: interim answers that the client has not taken. */
static enum output_state send_behind(struct output *output, int fd, const struct bytes *head,
                                     const char *body, size_t len, uint64_t *moved)
{
    bytes_add(&output->memory, head->at, head->len);
    bytes_add(&output->memory, body, len);
    if (head->failed || output->memory.failed)
        return OUTPUT_BROKEN;
    return output_pump(output, fd, moved);
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    struct connection *connection = request->connection;
    const struct bytes *head = reply_head(request, reply, reply->len);
    size_t len = sends_body(request, reply) ? reply->len : 0;
    enum output_state state = OUTPUT_BROKEN;
    struct output *output = &connection->output;
    if (output->memory.len > 0)
        state = send_behind(output, connection->fd, head, reply->body, len, &request->sent);
    else if (!head->failed)
        state = output_send(output, connection->fd, head, reply->body, len, &request->sent);
    exchange_sent(connection, state);
}

void reply_interim(struct http_request *request, int status, const char *lines, size_t lines_len)
{
    struct connection *connection = request->connection;
    struct bytes *memory = &connection->output.memory;
    if (connection->head.minor == 0 || request->answered || memory->len > 0)
        return;
    reply_interim_head(memory, status, lines, lines_len);
    request->head_bytes += memory->len;
    if (memory->failed ||
        output_pump(&connection->output, connection->fd, &request->sent) == OUTPUT_BROKEN)
        bytes_clear(memory); /* the answer itself will find out */
}

void reply_error(struct http_request *request, int status, const char *detail)
{
    char body[256];
    snprintf(body, sizeof body, "%d %s: %s\n", status, reply_reason(status), detail);
    struct reply reply = {
        .status = status, .type = "text/plain; charset=utf-8", .body = body, .len = strlen(body)};
    reply_send(request, &reply);
}

/* The head goes first, then whatever follows it. */
static void send_after_head(struct http_request *request, const struct bytes *head)
{
    struct connection *connection = request->connection;
    struct output *output = &connection->output;
    bytes_add(&output->memory, head->at, head->len);
    enum output_state state = OUTPUT_BROKEN;
    if (!head->failed && !output->memory.failed)
        state = output_pump(output, connection->fd, &request->sent);
    exchange_sent(connection, state);
}

void reply_file(struct http_request *request, const struct reply *reply, int fd,
                const struct reply_part *parts, size_t n)
{
    struct output *output = &request->connection->output;
    uint64_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += parts[i].text_len + parts[i].len;
    const struct bytes *head = reply_head(request, reply, len);
    if (!sends_body(request, reply)) {
        close(fd);
    } else if (output_add_file(output, fd, parts, n) != 0) {
        exchange_sent(request->connection, OUTPUT_BROKEN);
        return;
    }
    send_after_head(request, head);
}

void reply_stream(struct http_request *request, const struct reply *reply,
                  const struct reply_source *source)
{
    struct reply_stream *stream = &request->connection->output.stream;
    bool unknown = source->len == REPLY_LENGTH_UNKNOWN;
    const struct bytes *head = reply_head(request, reply, source->len);
    *stream = (struct reply_stream){.request = request,
                                    .source = *source,
                                    .chunked = unknown && reply->status != 101 &&
                                               request->connection->head.minor > 0,
                                    .discards = !sends_body(request, reply),
                                    .left = source->len};
    if (reply->status == 101)
        exchange_open_tunnel(request->connection);
    send_after_head(request, head);
}

static void add_chunk_size(struct bytes *memory, size_t len)
{
    char digits[2 * sizeof len + 2];
    size_t at = sizeof digits;
    digits[--at] = '\n';
    digits[--at] = '\r';
    do {
        digits[--at] = "0123456789abcdef"[len & 15];
        len >>= 4;
    } while (len > 0);
    bytes_add(memory, digits + at, sizeof digits - at);
}

int reply_write(struct reply_stream *stream, const void *data, size_t len)
{
    struct bytes *memory = &stream->request->connection->output.memory;
    bool known = stream->source.len != REPLY_LENGTH_UNKNOWN;
    if (len == 0)
        return 0; /* an empty chunk would be the last one */
    if (known && len > stream->left)
        return -EMSGSIZE;
    stream->left -= known ? len : 0;
    if (stream->chunked)
        add_chunk_size(memory, len);
    bytes_add(memory, data, len);
    if (stream->chunked)
        bytes_add(memory, "\r\n", 2);
    return memory->failed ? -ENOMEM : 0;
}

int reply_trailers(struct reply_stream *stream, const char *lines, size_t len)
{
    bytes_add(&stream->trailers, lines, len);
    return stream->trailers.failed ? -ENOMEM : 0;
}

void reply_wake(struct reply_stream *stream)
{
    struct connection *connection = stream->request->connection;
    if (!stream->waits)
        return;
    stream->waits = false;
    if (connection->phase == CONNECTION_ANSWERING)
        exchange_on_writable(connection->fd, 0, connection);
}

void reply_then_die(struct http_request *request, enum chaos_mode mode, uint32_t after_ms)
{
    request->doomed = true;
    request->mode = mode;
    request->after_ms = after_ms;
}
