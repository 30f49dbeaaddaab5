/*
 * How a line of the access log looks: a format compiled once, and a function
 * from what is known of a request to bytes. It knows no HTTP type, so that the
 * configuration can check formats and tests can hold lines against tables.
 */
#ifndef ZOMBIE_BASE_ACCESS_FORMAT_H
#define ZOMBIE_BASE_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct access_format;

/* Room for the reason of a refusal, NUL included. */
#define ACCESS_FORMAT_WHY_SIZE 160

/* The least room that access_format_render() needs, in bytes. */
#define ACCESS_LINE_MIN 64

/* Bytes of somebody else, any of them; text NULL: there is none, which is shown as '-' or null. */
struct access_text {
    const char *text;
    size_t len;
};

/* What one server was asked by a proxy and what came of it; in the order of the attempts. */
struct access_attempt {
    struct access_attempt *next; /* NULL: it was the last one */
    const char *server;          /* its address */
    unsigned status;             /* of its answer, or what the proxy makes of it; 0: none */
    int64_t connect_us;          /* until it was connected; -1: never, as in the next one */
    int64_t header_us;           /* ... until the head of its answer was there */
    int64_t response_us; /* ... until all of the answer was there, or the attempt was over */
};

/* One request that is over. Nothing of it is kept by the functions below. */
struct access_entry {
    struct timespec time;           /* of CLOCK_REALTIME, when the reply was over */
    struct access_text remote_addr; /* without a port */
    struct access_text remote_user;
    struct access_text method;
    struct access_text request_uri; /* the target as it was sent, with its query */
    struct access_text path;        /* the decoded path, $uri */
    struct access_text args;        /* the query without '?' */
    struct access_text protocol;    /* "HTTP/1.1" */
    struct access_text host;
    struct access_text route;       /* the pattern that matched */
    struct access_text instance;    /* the id of the instance */
    struct access_text traceparent; /* ours, as trace_context_format() makes it */
    unsigned status;
    uint64_t body_bytes_sent;
    uint64_t bytes_sent; /* head and body */
    uint64_t request_length;
    uint64_t duration_us;         /* from the first byte of the request to the last of the reply */
    uint64_t connection;          /* its number in this worker */
    uint64_t connection_requests; /* how many came on it, this one included */
    uint64_t worker;
    uint64_t slot;
    uint64_t pid;
    bool pipelined;
    const struct access_attempt *attempts; /* NULL: no other server was asked */
    /* A field of the request's header, its name in lower case, or NULL; may be NULL itself. */
    const char *(*header)(const void *request, const char *name);
    const void *request; /* for header() */
};

/*
 * Compile a format: "common", "combined", "json", or a text with variables,
 * $name or ${name}, of the table in access_piece.c; "$$" is a dollar. A text
 * without a variable is refused, since it is a misspelt word, and so is a
 * control byte other than a tab. Returns 0 and the format, for
 * access_format_free(); or -EINVAL with the offset and the reason in `why`; or
 * -ENOMEM, with `why` filled as well.
 *
 * "json" is one object a line with the members time (UTC, ISO 8601), status,
 * bytes (of the body), duration_ms (with three decimals), remote_addr, method,
 * protocol, worker, slot, pid, instance, route, trace_id, span_id, host, uri,
 * referer, user_agent, in this order. What is not known is null.
 */
__attribute__((warn_unused_result)) int access_format_compile(const char *text,
                                                              struct access_format **ret_format,
                                                              char why[ACCESS_FORMAT_WHY_SIZE]);

/* NULL is fine. */
void access_format_free(struct access_format *format);

/*
 * Write one line that ends in '\n' (and no NUL) into buf; returns its length,
 * at most `size`, or 0 when `size` is less than ACCESS_LINE_MIN. What does not
 * fit is cut, never within an escape or a character; of a JSON object the last
 * members are then cut or missing, and it is closed all the same. In texts,
 * '"', '\\', control bytes and bytes from 0x7f up become \xNN, as with nginx;
 * in JSON what is not UTF-8 (RFC 3629) becomes U+FFFD. The format remembers the
 * rendered second, so two threads must not use one at the same time.
 */
size_t access_format_render(struct access_format *format, const struct access_entry *entry,
                            char *buf, size_t size);

#endif
