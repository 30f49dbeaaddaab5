#include "config.h"

#include "http/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What one connection may send before the others have their turn. */
#define TURN_BYTES ((uint64_t)4 << 20)

/* How often a stream is asked for more in one turn. */
#define TURN_PIECES 256

/* A part of a file up to this size is read and sent with what goes before it: one call for both. */
#define SMALL_FILE_BYTES 32768

/* More memory than this is not kept for the next answer. */
#define KEPT_BYTES 4096

void output_init(struct output *output)
{
    *output = (struct output){.file = -1};
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

enum output_state output_send(struct output *output, int fd, const struct bytes *head,
                              const char *body, size_t len, uint64_t *moved)
{
    struct iovec pieces[2] = {{head->at, head->len}, {(void *)body, len}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = len > 0 ? 2 : 1};
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && !would_block(errno))
        return OUTPUT_BROKEN;
    size_t out = n > 0 ? (size_t)n : 0;
    *moved += out;
    if (out == head->len + len)
        return OUTPUT_DONE;
    if (out < head->len)
        bytes_add(&output->memory, head->at + out, head->len - out);
    size_t of_body = out > head->len ? out - head->len : 0;
    bytes_add(&output->memory, body + of_body, len - of_body);
    return output->memory.failed ? OUTPUT_BROKEN : OUTPUT_BLOCKED;
}

/* One block: the parts, and behind them their texts. */
static struct reply_part *copy_parts(const struct reply_part *parts, size_t n)
{
    size_t size = n * sizeof *parts;
    for (size_t i = 0; i < n; i++)
        size += parts[i].text_len;
    struct reply_part *copy = malloc(size);
    if (copy == NULL)
        return NULL;
    char *text = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        copy[i] = parts[i];
        copy[i].text = text;
        if (parts[i].text_len > 0)
            memcpy(text, parts[i].text, parts[i].text_len);
        text += parts[i].text_len;
    }
    return copy;
}

static void close_file(struct output *output)
{
    if (output->file >= 0)
        close(output->file);
    free(output->parts);
    output->file = -1;
    output->parts = NULL;
    output->n_parts = 0;
    output->part = 0;
    output->text_is_out = false;
}

int output_add_file(struct output *output, int file, const struct reply_part *parts, size_t n)
{
    output->file = file;
    output->parts = copy_parts(parts, n);
    if (output->parts == NULL) {
        close_file(output);
        return -ENOMEM;
    }
    output->n_parts = n;
    return 0;
}

/* What is in memory. `more`: something follows, so that a small packet waits for it. */
static enum output_state send_memory(struct output *output, int fd, bool more, uint64_t *moved)
{
    struct bytes *memory = &output->memory;
    while (output->sent < memory->len) {
        ssize_t n = send(fd, memory->at + output->sent, memory->len - output->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
        if (n < 0)
            return would_block(errno) ? OUTPUT_BLOCKED : OUTPUT_BROKEN;
        output->sent += (size_t)n;
        *moved += (uint64_t)n;
    }
    output->sent = 0;
    if (memory->size > KEPT_BYTES)
        bytes_free(memory);
    else
        bytes_clear(memory);
    return OUTPUT_DONE;
}

/* A small part: into memory, whole or not at all. */
static enum output_state read_part(struct output *output, struct reply_part *part)
{
    char block[SMALL_FILE_BYTES];
    while (part->len > 0) {
        ssize_t n = pread(output->file, block, part->len, (off_t)part->offset);
        if (n <= 0)
            return OUTPUT_BROKEN;
        bytes_add(&output->memory, block, (size_t)n);
        part->offset += (uint64_t)n;
        part->len -= (uint64_t)n;
    }
    return output->memory.failed ? OUTPUT_BROKEN : OUTPUT_DONE;
}

static enum output_state send_part(struct output *output, int fd, struct reply_part *part,
                                   uint64_t *moved)
{
    uint64_t turn = 0;
    while (part->len > 0) {
        off_t offset = (off_t)part->offset;
        if (turn >= TURN_BYTES)
            return OUTPUT_BLOCKED;
        uint64_t room = TURN_BYTES - turn;
        ssize_t n = sendfile(fd, output->file, &offset, part->len < room ? part->len : room);
        if (n < 0 && would_block(errno))
            return OUTPUT_BLOCKED;
        if (n <= 0)
            return OUTPUT_BROKEN;
        part->offset += (uint64_t)n;
        part->len -= (uint64_t)n;
        turn += (uint64_t)n;
        *moved += (uint64_t)n;
    }
    return OUTPUT_DONE;
}

/* Go through the parts: texts and small parts by way of memory, large ones straight. */
static enum output_state send_parts(struct output *output, int fd, uint64_t *moved)
{
    enum output_state state = OUTPUT_DONE;
    while (state == OUTPUT_DONE && output->part < output->n_parts) {
        struct reply_part *part = &output->parts[output->part];
        if (!output->text_is_out)
            bytes_add(&output->memory, part->text, part->text_len);
        output->text_is_out = true;
        if (output->memory.failed)
            return OUTPUT_BROKEN;
        if (part->len <= SMALL_FILE_BYTES && output->memory.len <= SMALL_FILE_BYTES) {
            state = read_part(output, part);
        } else {
            state = send_memory(output, fd, part->len > 0, moved);
            if (state == OUTPUT_DONE)
                state = send_part(output, fd, part, moved);
        }
        if (state == OUTPUT_DONE) {
            output->part++;
            output->text_is_out = false;
        }
    }
    return state;
}

static enum output_state end_stream(struct reply_stream *stream)
{
    struct reply_source source = stream->source;
    bool whole = source.len == REPLY_LENGTH_UNKNOWN || stream->left == 0 || stream->discards;
    stream->source.more = NULL;
    if (source.over != NULL)
        source.over(source.arg);
    return whole ? OUTPUT_DONE : OUTPUT_BROKEN;
}

/* Let the stream add to memory. */
static enum output_state ask_stream(struct output *output)
{
    struct reply_stream *stream = &output->stream;
    if (stream->waits)
        return OUTPUT_WAITING;
    enum reply_next next =
        stream->discards ? REPLY_END : stream->source.more(stream, stream->source.arg);
    if (output->memory.failed || next == REPLY_BREAK)
        return OUTPUT_BROKEN;
    stream->waits = next == REPLY_WAIT;
    if (next == REPLY_MORE && output->memory.len == 0)
        return OUTPUT_BROKEN; /* it would be asked for ever */
    if (next != REPLY_END)
        return stream->waits && output->memory.len == 0 ? OUTPUT_WAITING : OUTPUT_DONE;
    if (stream->chunked && !stream->discards) {
        bytes_add_text(&output->memory, "0\r\n");
        bytes_add(&output->memory, stream->trailers.at, stream->trailers.len);
        bytes_add_text(&output->memory, "\r\n");
    }
    bytes_free(&stream->trailers);
    return end_stream(stream);
}

enum output_state output_pump(struct output *output, int fd, uint64_t *moved)
{
    uint64_t begin = *moved;
    for (int pieces = 0;; pieces++) {
        enum output_state state = send_parts(output, fd, moved);
        if (state == OUTPUT_DONE)
            state = send_memory(output, fd, false, moved);
        if (state != OUTPUT_DONE)
            return state;
        if (output->file >= 0)
            close_file(output);
        if (output->stream.source.more == NULL)
            return OUTPUT_DONE;
        if (*moved - begin >= TURN_BYTES || pieces >= TURN_PIECES)
            return OUTPUT_BLOCKED;
        state = ask_stream(output);
        if (state != OUTPUT_DONE)
            return state;
    }
}

void output_clear(struct output *output)
{
    close_file(output);
    if (output->stream.source.more != NULL)
        (void)end_stream(&output->stream);
    bytes_free(&output->stream.trailers);
    output->stream = (struct reply_stream){.request = NULL};
    bytes_free(&output->memory);
    output->sent = 0;
}
