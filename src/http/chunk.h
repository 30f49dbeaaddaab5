/*
 * The chunked transfer coding of a request or an answer, decoded strictly (RFC
 * 9112 section 7.1). Pure: no I/O, no clock, no memory; the data is not copied.
 */
#ifndef ZOMBIE_HTTP_CHUNK_H
#define ZOMBIE_HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "http/slice.h"

/* What chunk_feed() returns besides a status to refuse the request with. */
enum { CHUNK_MORE = 0, CHUNK_DATA = 1, CHUNK_DONE = 2, CHUNK_TRAILER = 3 };

/* Bounds on what is not data. The first two are refused with 400, the others with 431. */
enum {
    CHUNK_LINE_MAX = 256,        /* bytes of a chunk's first line, without CRLF */
    CHUNK_EXTENSIONS_MAX = 4096, /* bytes of the extensions of all chunks of a body */
    CHUNK_TRAILERS_MAX = 4096,   /* bytes of the trailer section, with the CRLFs */
    CHUNK_TRAILER_LINES_MAX = 16,
};

/* A trailer field, and the room in which it is put together. */
struct chunk_trailer {
    struct slice name;  /* valid after CHUNK_TRAILER until the next call; within `text` */
    struct slice value; /* likewise; without the blanks around it; may be empty */
    size_t len;         /* bytes of `text` */
    char text[CHUNK_TRAILERS_MAX];
};

/* Nothing in it is allocated: there is no clean-up. */
struct chunk_decoder {
    /*
     * Data bytes of all chunks whose first line has been read, thus known before
     * they arrive: what a limit on bodies is to be held against. < 2^63.
     */
    uint64_t announced;
    const char *why; /* after a refusal: static text for the log */

    /* The decoder's own. */
    uint64_t left;     /* size of the chunk while it is read, then data bytes to come */
    size_t line;       /* bytes of this line so far */
    size_t extensions; /* bytes, of the whole body */
    size_t trailers;   /* bytes */
    int trailer_lines;
    int state;
    int outcome;                   /* the refusal, once there was one */
    char name[24];                 /* the trailer field's name as far as it fits */
    struct chunk_trailer *trailer; /* NULL: trailers are dropped */
};

/* Begin with a new body, of which trailers are dropped. */
void chunk_init(struct chunk_decoder *chunk);

/* Behind chunk_init(): hand trailers out, in `trailer`, which lives as long as the decoder. */
void chunk_keep_trailers(struct chunk_decoder *chunk, struct chunk_trailer *trailer);

/*
 * Decode from the front of the `len` bytes that come next; bytes that a call
 * has consumed are not given again. Always sets *ret_consumed, to the bytes that
 * are done with, and *ret_data, to a piece of decoded data within `bytes` (len 0
 * unless CHUNK_DATA). Returns
 *   CHUNK_MORE  all is consumed, the body goes on;
 *   CHUNK_DATA  *ret_data has at least one byte; call again with what is left;
 *   CHUNK_TRAILER  only after chunk_keep_trailers(): a trailer field is complete;
 *               call again with what is left, which may be nothing;
 *   CHUNK_DONE  the body is complete; nothing behind it is consumed, now or in
 *               later calls;
 *   otherwise   the HTTP status to refuse the request with, and `why`. Final:
 *               nothing of the connection may be read after it.
 *
 * Statuses: 400 malformed, 413 sizes beyond 16 digits or 2^63-1 bytes in all,
 * 431 too large a trailer section; of an answer, each one says that it is bad.
 * Extensions are checked and dropped, and so are trailers that nobody keeps; a
 * trailer field about framing, routing, authentication or the content's form is
 * refused (RFC 9110 section 6.5.1).
 */
__attribute__((warn_unused_result)) int chunk_feed(struct chunk_decoder *chunk, const char *bytes,
                                                   size_t len, size_t *ret_consumed,
                                                   struct slice *ret_data);

#endif
