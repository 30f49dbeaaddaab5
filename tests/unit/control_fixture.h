/*
 * The control socket without a master: a server whose clients are socket pairs,
 * whose owner does what the command says, and whose loop runs when a test says so.
 *
 * Commands: "echo" gives its arguments back, "hold" answers later or never,
 * "follow" does so and yields, "progress" tells 1 of 2 and a piece before its end, "fail" fails,
 * "blob" answers with as many bytes as "size" says, "free" frees the server.
 */
#ifndef ZOMBIE_TESTS_CONTROL_FIXTURE_H
#define ZOMBIE_TESTS_CONTROL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

#include "control/server.h"

#define FIXTURE_HELD 64

struct control_fixture {
    struct event_base *base;
    struct control_server *server;
    struct control_request *held[FIXTURE_HELD]; /* by "hold" */
    unsigned n_held;
    unsigned n_requests; /* that have come in all */
    unsigned n_dropped;
    bool free_when_dropped; /* free the server then */
};

/* For cmocka: set *state to a fixture, and free it. */
int control_fixture_begin(void **state);
int control_fixture_end(void **state);

/* Free the server before the end; wait_ms is that of control_server_free(). */
void control_fixture_free(struct control_fixture *fixture, int wait_ms);

/* Run all that is due, in n turns of the loop. */
void control_fixture_turn(struct control_fixture *fixture, int n);

/* A new client by control_server_adopt(): its end of the connection, non-blocking. */
int control_fixture_adopt(struct control_fixture *fixture);

/* Send a text as that client, and let the server deal with it. */
void control_fixture_send(struct control_fixture *fixture, int client, const char *text);

/* What has been sent to the client since the last look, with a NUL behind it; good until the next
 * call. */
const char *control_fixture_received(int client);

/* Whether end of file comes next on a client's end. */
bool control_fixture_is_closed(int client);

#endif
