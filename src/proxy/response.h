/*
 * The head of an answer from an upstream server, read strictly (RFC 9112): status
 * line, header fields, and what they say about the body and the connection. What
 * two parsers could read in two ways is refused, so that nothing that a server
 * was made to send passes for another answer. Pure: no I/O, no clock, no memory.
 */
#ifndef ZOMBIE_PROXY_RESPONSE_H
#define ZOMBIE_PROXY_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/lines.h"
#include "http/slice.h"

/* What response_feed() returns besides a negative errno value. */
enum { RESPONSE_MORE = 0, RESPONSE_DONE = 1 };

/* How the body is delimited (RFC 9112 section 6.3). */
enum response_framing {
    RESPONSE_NO_BODY,     /* nothing follows; also for "Content-Length: 0" */
    RESPONSE_LENGTH,      /* content_length bytes follow, at least one */
    RESPONSE_CHUNKED,     /* chunks follow: http/chunk.h */
    RESPONSE_UNTIL_CLOSE, /* all that follows until the server closes */
};

/* Inclusive: a head of exactly these sizes passes. */
struct response_limits {
    size_t bytes;  /* of the head, with its empty line */
    size_t fields; /* header lines */
};

/* The parser and its results. Nothing in it is allocated: there is no clean-up. */
struct response {
    /* Valid after RESPONSE_DONE. `reason` points into the bytes of the last call. */
    struct slice reason; /* as sent, perhaps empty, perhaps with bytes beyond ASCII */
    size_t len;          /* bytes of the head, the empty line included */
    size_t n_fields;     /* header lines */
    /*
     * The Content-Length, whether or not a body follows: after HEAD and with 304
     * it says what there would have been. With 1xx and 204, which must not have
     * one, it is left out as if it were not there.
     */
    uint64_t content_length; /* bytes, < 2^63; 0 unless has_length */
    bool has_length;
    enum response_framing framing; /* of the body that follows */
    int status;                    /* 100 to 599; below 200 another head follows, but for 101 */
    int minor;                     /* HTTP/1.0: 0; HTTP/1.1 to 1.9: 1 */
    /*
     * The connection can take another request once the body is read (section
     * 9.3). When it is false for a 1xx, that holds for the answer behind it too.
     */
    bool keep_alive;
    bool is_upgrade; /* 101: the bytes that follow are of another protocol */

    /* Valid after a refusal: static text for the log, such as "the status is not a number". */
    const char *why;

    /* The parser's own. */
    int outcome; /* what the last call returned */
    struct lines lines;
    size_t fields; /* offset of the first header line; 0 before the status line was read */
    struct {
        size_t at;
        size_t len;
    } reason_span;
    bool to_head;
    bool asks_upgrade;
    bool is_chunked;
    bool has_close;
    bool has_keep_alive;
    bool has_upgrade;      /* the field Upgrade, with a value */
    bool names_upgrade;    /* Connection has "upgrade" */
    bool is_contradicting; /* a 1xx or 204 that announces a body */
};

/*
 * Begin with a new head. `to_head`: the request was HEAD; `asks_upgrade`: it had
 * Upgrade, so that 101 may come. After a 1xx, the next head begins anew with the
 * same two.
 */
void response_init(struct response *response, bool to_head, bool asks_upgrade);

/*
 * Read on. `bytes` is the head from its first byte, all `len` bytes that have
 * arrived so far, perhaps at another address than before; what follows the head
 * may be among them. The cost is linear however the head arrives, and the outcome
 * depends on the bytes alone, never on how they were cut.
 *
 * Returns RESPONSE_MORE; RESPONSE_DONE, with the results set; -EPROTO for a head
 * that is malformed or ambiguous, -EMSGSIZE for one beyond the limits, with `why`
 * set. A refusal is final, and nothing of the connection may be read after it.
 * After RESPONSE_DONE another call only moves `reason` to the new `bytes`.
 *
 * Refused are, among others: empty lines in front; lines that end otherwise than
 * with CRLF; control bytes but HTAB; folded lines; a name that is empty, no token
 * or apart from its colon; versions other than HTTP/1.x; Content-Length with
 * Transfer-Encoding, with two values, or not a number; Transfer-Encoding other
 * than "chunked" once, or in HTTP/1.0; a 101 that was not asked for, is HTTP/1.0
 * or does not say "Connection: upgrade" and Upgrade. A Content-Length that is
 * repeated with the same value passes (RFC 9112 section 6.3), so whoever passes
 * the answer on writes it anew, once.
 */
__attribute__((warn_unused_result)) int response_feed(struct response *response,
                                                      const struct response_limits *limits,
                                                      const char *bytes, size_t len);

/*
 * Walk over the header lines of a head that is RESPONSE_DONE, in the order in
 * which they came. *cursor is 0 at the start. The value is without the blanks
 * around it and may be empty. Returns false behind the last line.
 */
bool response_next_field(const struct response *response, const char *bytes, size_t *cursor,
                         struct slice *ret_name, struct slice *ret_value);

#endif
