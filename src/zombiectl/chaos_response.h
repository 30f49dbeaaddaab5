/*
 * What a server sends, read strictly as one answer to a GET (RFC 9112): where it
 * ends, and whether it is one at all. Pure: no I/O, no clock, no memory; the
 * content is counted and dropped.
 */
#ifndef ZOMBIE_ZOMBIECTL_CHAOS_RESPONSE_H
#define ZOMBIE_ZOMBIECTL_CHAOS_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/chunk.h"

enum chaos_reading { CHAOS_MORE, CHAOS_WHOLE, CHAOS_BAD };

/* Bounds, CRLFs included. */
enum {
    CHAOS_LINE_MAX = 8192,
    CHAOS_HEAD_MAX = 65536, /* heads of interim answers included */
};

/* Nothing in it is allocated: there is no clean-up. */
struct chaos_response {
    int status;       /* of the final answer; of an interim one before it; 0: none yet */
    bool keeps_alive; /* once whole: the connection may take another request */
    uint64_t content; /* bytes */
    const char *why;  /* CHAOS_BAD: static text */

    /* The reader's own. */
    int state;
    int minor;
    enum chaos_reading outcome;
    bool has_length;
    bool is_chunked;
    bool says_close;
    bool says_keep_alive;
    uint64_t left; /* bytes of content to come */
    size_t head;   /* bytes of heads */
    size_t line_len;
    char line[CHAOS_LINE_MAX];
    struct chunk_decoder chunk;
};

/* Begin with a new answer. */
void chaos_response_init(struct chaos_response *response);

/*
 * Take the `len` bytes that come next. Always sets *ret_consumed: less than len
 * only when there is something behind a whole answer, or in a bad one. Returns
 * CHAOS_MORE; CHAOS_WHOLE when the answer is complete; or CHAOS_BAD when it
 * is malformed or ambiguous. The last two are final.
 */
__attribute__((warn_unused_result)) enum chaos_reading
chaos_response_feed(struct chaos_response *response, const char *bytes, size_t len,
                    size_t *ret_consumed);

/* The server has closed: CHAOS_WHOLE when the answer ends so or had ended, CHAOS_MORE when a part
 * of it is missing. */
__attribute__((warn_unused_result)) enum chaos_reading
chaos_response_end(struct chaos_response *response);

#endif
