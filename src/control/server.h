/*
 * The control socket: one JSON object a line in both directions, as
 * doc/protocol.md describes. This side reads requests and writes answers; what
 * a request means is for the owner to say. A client that does not read, sends
 * garbage or too much is cut off, and never waited for.
 */
#ifndef ZOMBIE_CONTROL_SERVER_H
#define ZOMBIE_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

struct control_request;
struct control_server;
struct event_base;

/* The longest request, newline included. */
#define CONTROL_LINE_MAX 4096

/* What may wait for one client to read it, in bytes; more, and it is cut off. */
#define CONTROL_BACKLOG_MAX 4194304

/*
 * Connections at once. For one more, the one is closed that has been silent and unoccupied longest;
 * if there is none, the oldest one all of whose requests yield.
 */
#define CONTROL_CLIENTS_MAX 32

/* Requests of one client that are not answered yet. */
#define CONTROL_REQUESTS_MAX 16

/* Who asks. */
struct control_peer {
    bool is_admin; /* the admin child, by control_server_adopt() */
    pid_t pid;     /* SO_PEERCRED, socket(7) */
    uid_t uid;
};

/* Why a request failed; "bad-request" and so on in the answer. */
enum control_error {
    CONTROL_BAD_REQUEST, /* no JSON object, or not the members of a request */
    CONTROL_UNKNOWN_COMMAND,
    CONTROL_BAD_ARGUMENT, /* a value that the command cannot take */
    CONTROL_UNKNOWN_SLOT,
    CONTROL_NOT_ALLOWED, /* this client may not, or the configuration forbids it */
    CONTROL_REFUSED,     /* the server is in a state that forbids it */
    CONTROL_FAILED,      /* it was tried */
    CONTROL_TOO_MANY,
    CONTROL_ERRORS
};

struct control_server_settings {
    struct event_base *base;
    /*
     * A well-formed request has come. Answer it now or later, by any number of
     * control_progress() and control_send() and then exactly one of
     * control_succeed() and control_fail(). `arguments` are its members but
     * for id and command; borrowed until the answer is complete.
     */
    void (*request)(struct control_request *request, const char *command, const json_t *arguments,
                    void *arg);
    /*
     * The client is gone before its answer was complete, or has sent what is no
     * request: forget this one, it is freed. Comes from the loop or from
     * control_server_free(), never from within the functions that answer.
     */
    void (*dropped)(struct control_request *request, void *arg);
    void *arg;
};

/* Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int
control_server_new(const struct control_server_settings *settings,
                   struct control_server **ret_server);

/*
 * Accept on this listening unix socket, which stays the caller's and becomes
 * non-blocking, in place of the one before; -1: on none, which must come before
 * the socket is closed. Peers are let in by SO_PEERCRED: root, the user
 * of this process, the owner of the socket's file; its group where the mode lets
 * the group write; everybody where it lets others write. Anybody else is told
 * "not-allowed" and closed. The file is looked at for each one anew. Clients that are connected
 * stay. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int control_server_listen(struct control_server *server,
                                                              int fd);

/* Serve the other end of this connected socket as the admin child; the server owns fd on success.
 * Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int control_server_adopt(struct control_server *server, int fd);

/* Try for at most wait_ms milliseconds to send what clients have not read yet, then close all and
 * free; NULL is fine. `dropped` is called for every request that is open. May be called from within
 * `request` and `dropped`. */
void control_server_free(struct control_server *server, int wait_ms);

/* Who has sent the request; valid as long as the request is. */
const struct control_peer *control_peer(const struct control_request *request);

/* This request only tells, for as long as its client likes: the client may be closed to make room
 * for another one. Said once, by the owner, before the answer is complete. */
void control_request_yields(struct control_request *request);

/* How far it is: {"id":..,"progress":{"done":..,"total":..},"text":..}. */
void control_progress(struct control_request *request, unsigned done, unsigned total,
                      const char *text);

/* A piece of an answer that goes on: {"id":..,KEY:value}; takes the reference to value (NULL: out
 * of memory, nothing is sent). */
void control_send(struct control_request *request, const char *key, json_t *value);

/*
 * The end: {"id":..,"ok":true,"text":..,"result":..}; text or result may be NULL and are then
 * left out; takes the reference to result. The request is freed.
 */
void control_succeed(struct control_request *request, const char *text, json_t *result);

/* The end: {"id":..,"ok":false,"error":"refused","text":..}. The request is freed. */
__attribute__((format(printf, 3, 4))) void
control_fail(struct control_request *request, enum control_error error, const char *format, ...);

/* "bad-request", "unknown-command", ... */
const char *control_error_name(enum control_error error);

#endif
