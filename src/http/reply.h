/*
 * The answer to a request, as handlers give it: exactly one for each request.
 */
#ifndef ZOMBIE_HTTP_REPLY_H
#define ZOMBIE_HTTP_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

struct http_request;

struct reply_header {
    const char *name;
    const char *value; /* NULL: the header is left out */
};

/* All texts are borrowed until reply_send() returns. */
struct reply {
    int status;                         /* 200..599 (RFC 9110 section 15) */
    const char *type;                   /* Content-Type; NULL when there is no body */
    const char *body;                   /* not sent for HEAD, 204 and 304 */
    size_t len;                         /* of the body in bytes */
    const struct reply_header *headers; /* more headers, ended by a NULL name; or NULL */
};

/*
 * Send the answer. Date, Content-Length and, when the worker is about to leave,
 * "Connection: close" are added. The request is not to be touched afterwards.
 */
void reply_send(struct http_request *request, const struct reply *reply);

/* Send a text/plain answer "<status> <reason>: <detail>\n"; detail is shown to the client. */
void reply_error(struct http_request *request, int status, const char *detail);

/*
 * Ask that this worker dies in the given way once the answer has been written
 * to the client (or the client is gone) and after_ms have passed since. To be
 * called before reply_send().
 */
void reply_then_die(struct http_request *request, enum chaos_mode mode, uint32_t after_ms);

/* The reason phrase of a status, "Not Found"; "Unknown" for one without a name. */
const char *reply_reason(int status);

#endif
