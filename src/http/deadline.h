/*
 * Time limits of connections. Each phase has one limit for all, so the list of
 * a phase is in the order in which its connections are due, and one timer looks
 * at the first of each.
 */
#ifndef ZOMBIE_HTTP_DEADLINE_H
#define ZOMBIE_HTTP_DEADLINE_H

#include <stdint.h>

#include "http/connection.h"

struct http_server;

/* Set the timer up. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int deadline_init(struct http_server *server);

/* A connection is in this phase, which counts from begun_ms. */
void deadline_begins(struct http_server *server, enum connection_phase phase, int64_t begun_ms,
                     int64_t now_ms);

/* Look again in 100 ms whether an idle connection can make room for a new one. */
void deadline_for_room(struct http_server *server);

/* Free the timer. */
void deadline_clear(struct http_server *server);

#endif
