/*
 * The HTTP side of a worker without the worker: a server whose clients are
 * socket pairs, and whose loop runs when a test says so.
 */
#ifndef ZOMBIE_TESTS_SERVER_FIXTURE_H
#define ZOMBIE_TESTS_SERVER_FIXTURE_H

#include <stddef.h>

#include "http/connection.h"

/* The address of every client. */
#define FIXTURE_CLIENT "192.0.2.1:7"

/* A route of this makes "/later" wait for an hour, in which a test may answer itself. */
#define FIXTURE_LATER "route \"/later\" { handler = text body = later delay_ms = 3600000 }\n"

/* Start a server with this configuration file; the test fails if it cannot. */
struct http_server *fixture_serve(const char *conf_text);

/* Run all that is due. */
void fixture_turn(void);

/* A new client: its end of the connection, non-blocking. */
int fixture_connect(void);

/* Send a text as that client, and let the server deal with it. */
void fixture_send(int client, const char *text);

/*
 * What the server has sent to the client since the last look, with a NUL behind
 * it; good until the next call. *ret_len may be NULL.
 */
const char *fixture_received(int client, size_t *ret_len);

/* Whether the server has closed the connection, or its direction. */
int fixture_is_closed(int client);

/* The connection that is in that phase for the shortest time, or NULL. */
struct connection *fixture_newest(enum connection_phase phase);

/* How many limits of that number have been hit. */
unsigned long fixture_limit_hits(unsigned limit);

/* Stop the server and free all. */
void fixture_end(void);

#endif
