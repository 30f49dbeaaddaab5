/*
 * One client connection of a worker, from accept to close: intake.h reads
 * requests from its socket, output.h writes answers to it.
 *
 *                 bytes               head, and a body follows
 *        IDLE ───────────► HEAD ─────────────────────────► BODY
 *         ▲                  │ head, no body                 │ whole
 *         │   answer is out  ▼                               │
 *         ├─────────────  ANSWERING ◄────────────────────────┘
 *         │                  │ the client does not take it at once
 *         └──────────────  SENDING
 */
#ifndef ZOMBIE_HTTP_CONNECTION_H
#define ZOMBIE_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event_struct.h>

#include "base/address.h"
#include "base/bytes.h"
#include "http/chunk.h"
#include "http/head.h"
#include "http/output.h"
#include "http/request_state.h"

struct http_server;

enum connection_phase {
    CONNECTION_IDLE,      /* nothing of a request has come */
    CONNECTION_HEAD,      /* some of its head */
    CONNECTION_BODY,      /* all of its head, and some of its body */
    CONNECTION_ANSWERING, /* the handler is at work */
    CONNECTION_SENDING,   /* the client is to take the answer */
    CONNECTION_PHASES
};

struct connection {
    struct http_server *server;
    TAILQ_ENTRY(connection) entry; /* in the list of its phase */
    struct event read;
    struct event write;
    struct event *absence; /* the client leaves while it is not heard; or NULL */
    int fd;                /* -1: given away or closed */
    enum connection_phase phase;
    unsigned holds; /* how many functions on the stack use it */
    bool gone;      /* closed, to be freed when nobody holds it */
    bool running;   /* intake is taking requests from it */
    bool deaf;      /* not reading: too much has come before an answer was out */
    bool eof;       /* the client has said that it will send nothing more */
    bool counted;   /* among those of its client address */
    bool refused;   /* nothing that arrives is a request any more */
    bool last;      /* the answer that is being given is the last one */
    bool lingers;   /* after that, read on for a while: closing at once would destroy the answer */
    int64_t accepted_ms;  /* all times are CLOCK_MONOTONIC */
    int64_t head_us;      /* when the first byte of the request had come */
    int64_t begun_ms;     /* when this phase began */
    int64_t since_ms;     /* the same; in SENDING, when the client was last seen to take some */
    uint64_t number;      /* of the connection in this worker, from 1 */
    uint64_t n_requests;  /* that have begun here */
    unsigned n_pipelined; /* in a row, each sent before the answer to the one before it */
    uint64_t moved;       /* bytes of the body that have come, or of the answer that were taken */
    struct bytes in;      /* has arrived and is not taken yet */
    struct bytes kept;    /* the head of the request, where it must outlive `in` */
    struct bytes body;    /* of the request */
    uint64_t body_left;   /* to come, when it has a length */
    bool streams;         /* the handler takes the body piece by piece, and more is to come */
    bool wants;           /* ... and it waits for the next piece */
    bool tunnel;          /* ... which is whatever the client sends, to the end */
    bool invited;         /* "100 Continue" was sent, or is not expected */
    int64_t waited_ms;    /* for the client, before the last piece */
    struct chunk_trailer *trailer; /* room for one of a streamed body */
    struct bytes trailers;         /* all that have come */
    uint64_t body_max;             /* the most that is taken */
    struct head head;
    struct chunk_decoder chunk;
    struct output output;
    struct http_request request; /* the one being received or answered */
    struct address peer;
    char client[ADDRESS_TEXT_SIZE]; /* the same as text; "" until somebody asks */
};

TAILQ_HEAD(connection_list, connection);

/*
 * Serve a client that was accepted on fd, from then on the connection's; what it
 * has sent already is answered before this returns.
 */
void connection_accept(struct http_server *server, int fd, const struct address *peer);

/* Whoever calls what may close the connection, and then looks at it again, holds it meanwhile. */
void connection_hold(struct connection *connection);
void connection_release(struct connection *connection);

/* Begin a phase at now_ms: its time limit counts from there. */
void connection_enter(struct connection *connection, enum connection_phase phase, int64_t now_ms);

/* Go on with a phase that counts as begun at begun_ms, which is now_ms or earlier. */
void connection_enter_since(struct connection *connection, enum connection_phase phase,
                            int64_t begun_ms, int64_t now_ms);

/* In SENDING: look whether the client has taken more of its answer; then its time counts anew. */
void connection_look(struct connection *connection, int64_t now_ms);

/* Read on, or stop reading. */
void connection_listen(struct connection *connection, bool listens);

/* Refuse what may still arrive: the answer that comes now is the last one, and then it lingers. */
void connection_take_no_more(struct connection *connection);

/*
 * Close; with `lingers` set after having read for a while what the client still
 * sends. A request that is being received or answered ends with it.
 */
void connection_close(struct connection *connection);

/*
 * Close because the answer cannot be finished: a client that takes the end of the
 * connection for the end of the answer is told by a reset.
 */
void connection_break(struct connection *connection);

/* The client's address as text. */
const char *connection_client(struct connection *connection);

/*
 * Close idle connections that came to be so before idle_before_ms, where
 * nothing counts as earlier than floor_ms; one with unread bytes is not idle.
 * Not to be called while a connection is held. Returns when the oldest of the
 * remaining idle ones became idle, at floor_ms at the earliest, or INT64_MAX.
 */
int64_t connections_close_idle(struct http_server *server, int64_t idle_before_ms,
                               int64_t floor_ms);

/* Close all of them at once. */
void connections_clear(struct http_server *server);

#endif
