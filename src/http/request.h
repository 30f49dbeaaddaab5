/*
 * A request as handlers see it: they know no socket and no event loop. Whatever a function
 * returns belongs to the request and lives until its answer is given. When
 * memory is short for a text that must be made, it is "".
 *
 * A handler that greets whoever is named in the path of the route "/hello/{name}":
 *
 *     static void serve(struct http_request *request)
 *     {
 *         const char *name = request_wildcard(request, "name");
 *         struct reply reply = {.status = 200,
 *                               .type = "text/plain; charset=utf-8",
 *                               .body = name,
 *                               .len = strlen(name)};
 *         reply_send(request, &reply);
 *     }
 */
#ifndef ZOMBIE_HTTP_REQUEST_H
#define ZOMBIE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct access_attempt;
struct http_request;
struct slice;
struct worker_identity;
struct conf_chaos;

/* "GET", in capitals (RFC 9110 section 9.1). */
const char *request_method(const struct http_request *request);

/* The percent-decoded path, beginning with '/'. A "%2F" in it has become a '/', too. */
const char *request_path(const struct http_request *request);

/* The path as it was sent, percent escapes and all, without the query. */
const char *request_raw_path(const struct http_request *request);

/*
 * The query as it was sent, without '?'; "" without one. Keys may repeat:
 *
 *     char *buf = request_memory(request, strlen(query) + 1);
 *     query_start(&cursor, query, strlen(query), buf);   (see http/query.h)
 */
const char *request_query(const struct http_request *request);

/*
 * What the wildcard of that name in the route's pattern ("{name}" or
 * "{name...}") stands for, percent-decoded; NULL when the pattern has none.
 */
const char *request_wildcard(const struct http_request *request, const char *name);

/*
 * The path below the route's pattern, percent-decoded and without a leading '/': for
 * "/img/" or "/img/{rest...}" and "/img/a/b.png" it is "a/b.png"; for a pattern
 * of one path only it is that path's last segment.
 */
const char *request_path_below(const struct http_request *request);

/* The same as it was sent, still percent-encoded. */
const char *request_raw_path_below(const struct http_request *request);

/* The n-th wildcard (from 0) that has a name: its name, and its value in *ret_value; or NULL. */
const char *request_wildcard_at(const struct http_request *request, size_t n,
                                const char **ret_value);

/* The first value of a header field (RFC 9110 section 5), or NULL; the name in any case. */
const char *request_header(const struct http_request *request, const char *name);

/* Call `each` for every header field in the order of arrival, repeated ones too. */
void request_each_header(const struct http_request *request,
                         void (*each)(const char *name, const char *value, void *arg), void *arg);

/* The authority that the request is for: Host, or that of an absolute target; "" without (1.0). */
const char *request_host(const struct http_request *request);

/*
 * Walk over the header fields in the order of arrival, repeated ones too, without copies: the
 * slices are good until the callback or serve() returns. *cursor is 0 at the start. Returns false
 * behind the last one.
 */
bool request_next_field(const struct http_request *request, size_t *cursor, struct slice *ret_name,
                        struct slice *ret_value);

/*
 * request_raw_path(), request_query() and request_host() without copies: good until the callback
 * or serve() returns.
 */
void request_target(const struct http_request *request, struct slice *ret_path,
                    struct slice *ret_query, struct slice *ret_host);

/* The minor version of HTTP/1 that the client speaks: 0 or 1. */
int request_minor(const struct http_request *request);

/*
 * The body, *ret_len bytes in one piece and ended by a NUL; "" with 0 bytes when there is none, or
 * when the handler streams it.
 */
const char *request_body(const struct http_request *request, size_t *ret_len);

/* How long the body is, in bytes; REQUEST_CHUNKED: it comes in chunks, and nobody knows. */
#define REQUEST_CHUNKED UINT64_MAX
uint64_t request_body_length(const struct http_request *request);

/*
 * Of a body that a handler streams, one piece: `len` bytes, good until it returns. `last`: nothing
 * follows; only then may len be 0.
 */
typedef void request_piece(struct http_request *request, const char *data, size_t len, bool last);

/*
 * For a handler with `streams_body`, whose serve() is called when only the head is there: have
 * `piece` called once, with the next piece of the body, perhaps before this returns; who does not
 * ask is not given any, and its client has to wait. A body that breaks the rules or a limit
 * ends the request like a client that leaves: see request_suspend(). Not to be called for a request
 * without a body or behind its last piece. NULL: no piece is wanted any more. After an answer with
 * status 101 the pieces are what the client sends, until it ends its side.
 */
void request_read_body(struct http_request *request, request_piece *piece);

/*
 * The trailer fields of a body in chunks that was streamed, behind its last piece: header lines as
 * they are sent, each ended by CRLF, *ret_len bytes; "" without. RFC 9110 section 6.5 says which
 * of them mean something to whom.
 */
const char *request_trailers(const struct http_request *request, size_t *ret_len);

/*
 * Whether a client that says that it will send nothing more, as one does that has gone away, is
 * taken to be gone, though it could still want its answer; false at the start.
 */
void request_end_with_client(struct http_request *request, bool ends);

/* The client's address as the kernel told it. */
const struct address *request_client(const struct http_request *request);

/* The same as text, as address_format() writes it. */
const char *request_client_text(const struct http_request *request);

/* The trace that this request belongs to, as a traceparent field (W3C Trace Context). */
const char *request_traceparent(const struct http_request *request);

/*
 * Memory for the handler that is freed when the request is over, aligned for
 * anything; NULL when memory is short.
 */
void *request_memory(const struct http_request *request, size_t size);

/* The settings of the route that matched, of the type that its handler declared. */
const void *request_settings(const struct http_request *request);

/* What the handler's init() made for this route in this worker; NULL without init(). */
void *request_state(const struct http_request *request);

/*
 * For a handler that asks other servers: what came of one more attempt, before the answer is given
 * or its stream is over. Copied, but for `next`; the access log shows it (base/access_format.h).
 */
void request_note_upstream(struct http_request *request, const struct access_attempt *attempt);

/* Who answers: the instance and the worker. */
const struct worker_identity *request_identity(const struct http_request *request);

/* What the server was given for handlers that need more than a request; see http/server.h. */
void *request_context(const struct http_request *request);

/* The chaos section of the configuration. */
const struct conf_chaos *request_chaos(const struct http_request *request);

/* How many requests this worker has answered before this one. */
unsigned long request_count(const struct http_request *request);

/* Whether the whole instance is about to stop, not just this worker. */
bool request_finds_stopping(const struct http_request *request);

/*
 * For a handler that cannot answer yet: return from serve(), and be called
 * back after delay_ms. Not called when the connection was reset by then, or the
 * route's timeout has answered in our place; a client that has only said that it
 * sends no more may still want its answer. Nobody else is told, so what such a
 * handler holds meanwhile is request_memory(). One wait at a time; `then` may wait
 * again. delay_ms is 0 or more. Returns 0 or -ENOMEM, and then
 * the handler must answer at once.
 */
__attribute__((warn_unused_result)) int request_wait(struct http_request *request, int64_t delay_ms,
                                                     void (*then)(struct http_request *request));

/*
 * For a handler that cannot answer before something else has happened: return from
 * serve(), and answer from whatever callback of the event loop brings it, by
 * reply.h as ever. `gone` is called instead, once, when the connection was reset by
 * then or the route's timeout is about to answer: let go of what would bring
 * the answer, and do not give one. The request and its memory are good until `gone`
 * returns. Not called once an answer has begun. May be combined with
 * request_wait(), for a time limit of the handler's own.
 */
void request_suspend(struct http_request *request,
                     void (*gone)(struct http_request *request, void *arg), void *arg);

/* What was given to request_suspend() as arg. */
void *request_suspended(const struct http_request *request);

#endif
