/*
 * What a connection has to send: memory, then parts of a file, then what a
 * stream gives. Each is asked for only when the client has taken what was
 * before it, so a slow reader costs no more memory than a block.
 */
#ifndef ZOMBIE_HTTP_OUTPUT_H
#define ZOMBIE_HTTP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/reply.h"

struct http_request;

struct reply_stream {
    struct http_request *request;
    struct reply_source source; /* `more` is NULL: there is no stream */
    bool chunked;               /* its pieces go out as chunks */
    bool discards;              /* the answer to a HEAD request */
    bool waits;                 /* until reply_wake() */
    struct bytes trailers;      /* to come after the last chunk */
    uint64_t left;              /* of the announced length; unused without one */
};

struct output {
    struct bytes memory;
    size_t sent;              /* bytes of it that are out */
    int file;                 /* -1: none */
    struct reply_part *parts; /* with their texts behind them, one block */
    size_t n_parts;           /* 0: no file */
    size_t part;              /* the one being sent */
    bool text_is_out;         /* of that part */
    struct reply_stream stream;
};

/* What output_pump() has come to. */
enum output_state { OUTPUT_DONE, OUTPUT_BLOCKED, OUTPUT_WAITING, OUTPUT_BROKEN };

/* Nothing to send. */
void output_init(struct output *output);

/*
 * Send a head and a body that are in memory, now and as far as the socket takes
 * it, and keep a copy of the rest. Nothing may be waiting. Adds what went out to *moved.
 */
enum output_state output_send(struct output *output, int fd, const struct bytes *head,
                              const char *body, size_t len, uint64_t *moved);

/*
 * Have parts of a file follow; takes the descriptor over, in case of failure
 * too. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int output_add_file(struct output *output, int file,
                                                        const struct reply_part *parts, size_t n);

/*
 * Send on, as far as the socket takes it, a few MiB at most. DONE: all is out.
 * BLOCKED: the socket is full. WAITING: the stream has nothing at the moment.
 * BROKEN: the client is gone, a file is shorter than it was, the stream failed, or
 * memory is short.
 */
enum output_state output_pump(struct output *output, int fd, uint64_t *moved);

/* Drop what is left, tell the stream that it is over, and free. */
void output_clear(struct output *output);

#endif
