/*
 * What the files of the server's side share: the server, its connections and
 * their open requests.
 *
 * Whoever holds the server may be interrupted by the owner freeing it: its
 * memory and that of all connections then stays until the release. A connection
 * that ends is cut at once (no descriptor, no events) and buried by the loop,
 * so that no answer of the owner's ever ends in one of its own callbacks.
 */
#ifndef ZOMBIE_CONTROL_SERVER_STATE_H
#define ZOMBIE_CONTROL_SERVER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/bytes.h"
#include "control/line.h"
#include "control/request_line.h"
#include "control/server.h"

struct event;

struct control_request {
    TAILQ_ENTRY(control_request) link;
    struct control_connection *connection;
    struct control_request_line line;
    bool yields; /* by control_request_yields() */
};
TAILQ_HEAD(control_requests, control_request);

/*
 *            end of file                  answered all
 *   SERVING -------------> HALF_CLOSED ----------------> cut
 *      |                                                  ^
 *      | no request           answer sent     end of file,|
 *      +---------> LEAVING -------> (lingers) ---- late --+
 *
 * From each: cut when the peer is gone, reads too little, or makes room.
 */
enum control_connection_phase {
    CONTROL_SERVING,
    CONTROL_HALF_CLOSED, /* sends no more, but reads; looked after once a second */
    CONTROL_LEAVING      /* no byte of it is looked at any more */
};

struct control_connection {
    TAILQ_ENTRY(control_connection) link;
    struct control_server *server;
    struct control_peer peer;
    enum control_connection_phase phase;
    uint64_t number; /* they are counted as they come */
    int fd;          /* -1: cut */
    bool has_ended;  /* end of file was read */
    bool has_shut;   /* nothing is sent any more */
    size_t ignored;  /* bytes read since it was refused */
    struct event *readable;
    struct event *writable; /* pending while something is to be sent */
    struct event *timer;
    struct control_lines lines;
    struct bytes out;
    struct control_requests requests;
    unsigned n_requests;
};
TAILQ_HEAD(control_connections, control_connection);

struct control_server {
    struct control_server_settings settings;
    struct control_connections connections; /* the one that was active last is last */
    unsigned n_connections;
    uint64_t n_opened;              /* connections, ever */
    struct control_connections cut; /* to be buried */
    struct event *undertaker;
    int holds;
    bool is_over; /* control_server_free() was called */

    int listening; /* -1: on none */
    struct event *acceptable;
    struct event *retry;
    bool is_short;      /* accept(2) has failed the last time */
    int64_t refused_ms; /* when a peer that may not was last told to the log */
};

/* Stop accepting; the socket stays as it is. */
void control_accept_stop(struct control_server *server);

/* Keep the memory of the server and its connections until the release. */
void control_server_hold(struct control_server *server);
void control_server_release(struct control_server *server);

#endif
