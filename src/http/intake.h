/*
 * Taking requests in: bytes from the socket become heads, which are judged
 * strictly (head.h), and bodies. What is refused is answered here, and nothing
 * after it is looked at.
 */
#ifndef ZOMBIE_HTTP_INTAKE_H
#define ZOMBIE_HTTP_INTAKE_H

#include <event2/util.h>

#include "http/limits.h"

struct connection;

/* A connection is new: count its client, and take what has come with it. */
void intake_welcome(struct connection *connection);

/* The callback of an event: the socket of the connection (arg) has something to read. */
void intake_on_readable(evutil_socket_t fd, short what, void *arg);

/* The answer is out: go on with what has come meanwhile, and read again. */
void intake_resume(struct connection *connection);

/* The handler takes the next piece of a body that is streamed. */
void intake_want(struct connection *connection);

/*
 * Answer with an error that is not a handler's, and close: `why` is shown to
 * the client and the log, `limit` is what was hit (LIMIT_NONE: none).
 */
void intake_refuse(struct connection *connection, int status, enum http_limit limit,
                   const char *why);

#endif
