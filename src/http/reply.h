/*
 * The answer to a request, as handlers give it: exactly one for each request,
 * by reply_send(), reply_error(), reply_file() or reply_stream(). The request is
 * not to be touched afterwards. What is added to every answer: Date, Connection
 * where it is needed, the length or the chunks of the body (RFC 9112 section 6),
 * and the `headers` of the route. HEAD is answered as GET would be, without the
 * body; 204 and 304 have none either.
 */
#ifndef ZOMBIE_HTTP_REPLY_H
#define ZOMBIE_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

struct http_request;

struct reply_header {
    const char *name;
    const char *value; /* NULL: the header is left out */
};

/* All texts are borrowed until the function that takes the reply returns. */
struct reply {
    int status;                         /* 200..599 (RFC 9110 section 15) */
    const char *type;                   /* Content-Type; NULL when there is no body */
    const char *body;                   /* for reply_send() only */
    size_t len;                         /* of that body in bytes */
    const struct reply_header *headers; /* more headers, ended by a NULL name; or NULL */
    /* For those who pass on somebody else's answer; all zero otherwise. */
    const char *reason; /* the phrase, NULL: the usual one */
    const char
        *lines; /* more headers as they are sent, each line ended by CRLF; `lines_len` bytes */
    size_t lines_len;
    bool is_dated; /* there is a Date among them */
};

/*
 * Tell an HTTP/1.1 client something before the answer (RFC 9110 section 15.2): any number of
 * times, before the answer is given. `status` is 102..199 without 101; `lines` as in struct reply.
 * Dropped when the client does not read.
 */
void reply_interim(struct http_request *request, int status, const char *lines, size_t lines_len);

/* Send a body that is in memory. */
void reply_send(struct http_request *request, const struct reply *reply);

/* Send a text/plain answer "<status> <reason>: <detail>\n"; detail is shown to the client. */
void reply_error(struct http_request *request, int status, const char *detail);

/*
 * A part of a body that is sent from a file: first `text_len` bytes of `text`
 * (copied), then `len` bytes of the file from `offset` on.
 */
struct reply_part {
    const char *text;
    size_t text_len;
    uint64_t offset;
    uint64_t len;
};

/*
 * Send n parts of an open regular file (sendfile(2) for all but small ones). fd is the reply's from
 * now on, in any case. A file that becomes shorter meanwhile breaks the
 * connection off: the client sees that its answer is not whole.
 *
 *     struct reply reply = {.status = 200, .type = "image/png"};
 *     struct reply_part whole = {NULL, 0, 0, size};
 *     reply_file(request, &reply, fd, &whole, 1);
 */
void reply_file(struct http_request *request, const struct reply *reply, int fd,
                const struct reply_part *parts, size_t n);

struct reply_stream;

/* What `more` of a stream answers. */
enum reply_next {
    REPLY_MORE, /* call again when the client has taken what was written, which is something */
    REPLY_WAIT, /* call again after reply_wake() */
    REPLY_END,  /* that was all */
    REPLY_BREAK /* something failed: close, so that the client sees a body that is not whole */
};

/* The length of a stream that is not known: chunks (HTTP/1.1), or until close (HTTP/1.0). */
#define REPLY_LENGTH_UNKNOWN UINT64_MAX

/*
 * Where a stream comes from. `more` is called each time the client has taken
 * all that was written, so a slow reader costs no memory; it gives some of the
 * body by reply_write(), 64 KiB or so. `over` is called exactly once, when the
 * answer is out or the client is gone: free `arg` there.
 */
struct reply_source {
    uint64_t len; /* in bytes, or REPLY_LENGTH_UNKNOWN */
    enum reply_next (*more)(struct reply_stream *stream, void *arg);
    void (*over)(void *arg);
    void *arg;
};

/*
 * Send a body piece by piece. `more` is first called before this returns, unless
 * the client does not even take the head; for HEAD, 204 and 304 never. `over`, too,
 * may have been called by then. An answer with status 101 ends HTTP on this connection: the
 * stream is sent as it is, and what the client sends comes by request_read_body().
 *
 *     static enum reply_next more(struct reply_stream *stream, void *arg)
 *     {
 *         struct count *count = arg;
 *         char line[32];
 *         int len = snprintf(line, sizeof line, "%d\n", count->n++);
 *         if (reply_write(stream, line, (size_t)len) != 0)
 *             return REPLY_BREAK;
 *         return count->n < 1000000 ? REPLY_MORE : REPLY_END;
 *     }
 *
 *     struct reply_source source = {REPLY_LENGTH_UNKNOWN, more, free, count};
 *     reply_stream(request, &reply, &source);
 */
void reply_stream(struct http_request *request, const struct reply *reply,
                  const struct reply_source *source);

/*
 * Within `more`: add len bytes, which are copied. Returns 0, -ENOMEM, or
 * -EMSGSIZE when that is more than the announced length.
 */
__attribute__((warn_unused_result)) int reply_write(struct reply_stream *stream, const void *data,
                                                    size_t len);

/*
 * Within `more`, before REPLY_END: header lines behind the body (RFC 9110 section 6.5), each ended
 * by CRLF; copied. Left out where there are no chunks. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int reply_trailers(struct reply_stream *stream,
                                                       const char *lines, size_t len);

/* After REPLY_WAIT: there is more now. Not to be called within `more`, nor after `over`. */
void reply_wake(struct reply_stream *stream);

/*
 * Ask that this worker dies in the given way once the answer has been written
 * to the client (or the client is gone) and after_ms have passed since. To be
 * called before the answer is given.
 */
void reply_then_die(struct http_request *request, enum chaos_mode mode, uint32_t after_ms);

/* The reason phrase of a status, "Not Found"; "Unknown" for one without a name. */
const char *reply_reason(int status);

#endif
