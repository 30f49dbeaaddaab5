/*
 * One request and its answer: from the head that has been read to the last byte
 * that is out. It finds the route, calls the handler, sends what reply.h was
 * given, and accounts for it all.
 */
#ifndef ZOMBIE_HTTP_EXCHANGE_H
#define ZOMBIE_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/util.h>

#include "http/output.h"

struct connection;
struct http_request;

/* A head is whole, and begins at `bytes`, which the request refers to. */
void exchange_begin(struct connection *connection, const char *bytes);

/* The bytes of the head are about to go: refer to a copy. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int exchange_keep_head(struct connection *connection);

/*
 * A body is about to come: how many bytes of it the route takes. The route's
 * timeout begins.
 */
uint64_t exchange_body_max(struct connection *connection);

/* The request is complete: answer it. `more` has come behind it: pipelining. */
void exchange_serve(struct connection *connection, bool more);

/* Answer with an error that is not a handler's, in place of a handler's answer. */
void exchange_refuse(struct connection *connection, int status, const char *detail);

/* The answer is 101: what follows in both directions is no HTTP any more. */
void exchange_open_tunnel(struct connection *connection);

/* Some of the answer was sent, or was to be; see where that leads. */
void exchange_sent(struct connection *connection, enum output_state state);

/* The callback of an event: the client may take more of its answer; arg is the connection. */
void exchange_on_writable(evutil_socket_t fd, short what, void *arg);

/* The connection is closed, whatever became of the request. */
void exchange_abandon(struct connection *connection);

#endif
