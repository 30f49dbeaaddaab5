/*
 * The head of an answer: status line and header fields, rendered at once into
 * one buffer.
 */
#ifndef ZOMBIE_HTTP_REPLY_HEAD_H
#define ZOMBIE_HTTP_REPLY_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/reply.h"

struct bytes;

/* Whether answers of this status never have a body (RFC 9110 section 6.4.1). */
bool reply_is_bodiless(int status);

/* Add the head of an interim answer (RFC 9110 section 15.2) to `head`. */
void reply_interim_head(struct bytes *head, int status, const char *lines, size_t lines_len);

/*
 * Render the head of the answer with a body of `len` bytes; REPLY_LENGTH_UNKNOWN:
 * in chunks, or until close for HTTP/1.0, which makes it the connection's last
 * answer. Returns the worker's buffer, good until the next call; its `failed` is
 * set when memory is short.
 */
const struct bytes *reply_head(struct http_request *request, const struct reply *reply,
                               uint64_t len);

#endif
