/*
 * The head of an HTTP/1 request, read strictly (RFC 9112): request line, header
 * fields, and what they say about the body and the connection. What two servers
 * could understand in two ways is refused. Pure: no I/O, no clock, no memory.
 */
#ifndef ZOMBIE_HTTP_HEAD_H
#define ZOMBIE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/lines.h"
#include "http/slice.h"

/* What head_feed() returns besides a status to refuse the request with. */
enum { HEAD_MORE = 0, HEAD_DONE = 1 };

enum http_method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
};

/* How the body is delimited (RFC 9112 section 6.3). */
enum head_framing {
    HEAD_NO_BODY, /* nothing follows; also for "Content-Length: 0" */
    HEAD_LENGTH,  /* content_length bytes follow, at least one */
    HEAD_CHUNKED, /* chunks follow: http/chunk.h */
};

/* Which of the limits a refusal is about. */
enum head_limit { HEAD_LIMIT_NONE, HEAD_LIMIT_BYTES, HEAD_LIMIT_URI, HEAD_LIMIT_FIELDS };

/* Inclusive: a head of exactly these sizes passes. */
struct head_limits {
    size_t bytes;  /* of the whole head, with its empty lines; 431, or 414 in the request line */
    size_t uri;    /* bytes of the request target; 414 */
    size_t fields; /* header lines; 431 */
};

/* The parser and its results. Nothing in it is allocated: there is no clean-up. */
struct head {
    /* Valid after HEAD_DONE. The slices point into the bytes of the last call. */
    struct slice method;
    struct slice target;       /* as sent: "/path?query", "http://host/path", or "*" */
    struct slice host;         /* with its port; len 0 only for HTTP/1.0 without Host */
    size_t len;                /* bytes of the head, the empty line included */
    size_t n_fields;           /* header lines */
    uint64_t content_length;   /* bytes; 0 unless framing is HEAD_LENGTH; < 2^63 */
    enum http_method verb;     /* `method` as a number */
    enum head_framing framing; /* of the body that follows */
    int minor;                 /* HTTP/1.0: 0; HTTP/1.1 to 1.9: 1 */
    bool keep_alive;           /* the client wants the connection to go on (section 9.3) */
    bool expects_continue;     /* a body follows after "100 Continue", or 417 */

    /* Valid after a refusal. */
    const char *why;       /* static text for the log, such as "a line ends with LF alone" */
    enum head_limit limit; /* the limit that was hit, if one was */

    /* The parser's own. */
    int outcome;        /* what the last call returned */
    struct lines lines; /* how far it has been read */
    size_t fields;      /* offset of the first header line; 0 before the request line was read */
    struct {
        size_t at;
        size_t len;
    } method_span, target_span, authority_span, host_span;
    bool has_length;
    bool has_type;
    bool has_host;
    bool has_close;
    bool has_keep_alive;
};

/* Begin with a new request. */
void head_init(struct head *head);

/*
 * Read on. `bytes` is the head from its first byte, all `len` bytes that have
 * arrived so far, perhaps at another address than before; what follows the head
 * may be among them. No byte is looked at twice for the search of a line's end,
 * so that the cost is linear however the head arrives. The outcome depends on
 * the bytes alone, never on how they were cut.
 *
 * Returns HEAD_MORE; HEAD_DONE, with the results set; or the HTTP status to
 * refuse the request with, with `why` and `limit` set. A refusal is final, and
 * nothing of the connection may be read after it. After HEAD_DONE another call
 * only moves the slices to the new `bytes`.
 *
 * One empty line before the request line is skipped (section 2.2), no more.
 * Statuses: 400 malformed or ambiguous; 411 POST, PUT or PATCH without a length
 * though there is a Content-Type, or in HTTP/1.0 (without both there is no body:
 * `curl -X POST`); 413 a Content-Length of 2^63 or more, 414 and 431 limits, 417 an Expect other
 * than 100-continue, 421 an https target, 501 unknown methods (CONNECT among
 * them) and transfer codings, 505 a major version other than 1.
 */
__attribute__((warn_unused_result)) int
head_feed(struct head *head, const struct head_limits *limits, const char *bytes, size_t len);

/*
 * Walk over the header lines of a head that is HEAD_DONE, in the order in which
 * they came. *cursor is 0 at the start. The value is without the blanks around
 * it and may be empty. Returns false behind the last line.
 *
 *     for (size_t at = 0; head_next_field(&head, bytes, &at, &name, &value);)
 */
bool head_next_field(const struct head *head, const char *bytes, size_t *cursor,
                     struct slice *ret_name, struct slice *ret_value);

#endif
