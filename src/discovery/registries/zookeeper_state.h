/*
 * A session with ZooKeeper, as its files share it: driver_zookeeper.c has the connection,
 * zookeeper_server.c the way to it, zookeeper_task.c registers, zookeeper_look.c looks services up.
 * All calls of the library are made in turns of the loop, turn() in the first of them and what it
 * calls, when no event of libevent hangs on its socket, which it may close in any call.
 */
#ifndef ZOMBIE_DISCOVERY_ZOOKEEPER_STATE_H
#define ZOMBIE_DISCOVERY_ZOOKEEPER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "discovery/driver.h"
#include "discovery/registries/zookeeper_wire.h"

struct _zhandle; /* of the library */
struct event;
struct Stat;
struct zookeeper_look;
struct zookeeper_name;

/* Members whose values are asked for at the same time, and answers that may be due at all. */
#define ZOOKEEPER_READS   32
#define ZOOKEEPER_PENDING 128

struct zookeeper_task {
    bool is_wanted; /* begun, and to be taken up when there is a connection */
    enum driver_task task;
    const struct driver_record *record;
    char path[ZOOKEEPER_PATH_SIZE];
    char *payload;  /* NULL: none is needed */
    size_t level;   /* of the path, while nodes are made */
    unsigned steps; /* nodes that were made or tried, to come to an end */
    void *results;  /* of a transaction under way */
};

struct zookeeper_session {
    struct driver_settings settings;
    struct _zhandle *handle;        /* NULL: the name of the server is being looked up */
    struct zookeeper_name *name;    /* that is being looked up, or NULL */
    struct event *io;               /* the next turn: the socket, or time */
    struct event *wake;             /* a turn at once */
    struct event *patience;         /* runs out conf->timeout_ms after the last sign of life */
    int fd;                         /* the library's; -1: none */
    int state;                      /* of the library, as seen last */
    bool was_connected;             /* ever */
    bool is_login;                  /* credentials are sent */
    bool is_gone;                   /* deregistered: nothing of the session is worth keeping */
    bool is_closing;                /* answers do not matter any more */
    bool is_mid_frame;              /* the library has read a part of a frame */
    bool is_starved;                /* too little of a frame has come to judge it */
    bool is_over;                   /* broken() is told, or will be at the end of the turn */
    enum driver_outcome outcome;    /* why it is over */
    const char *why;                /* a constant; NULL: it is told already */
    size_t n_addresses, n_failures; /* before the first connection */
    size_t n_losses;                /* since something was done: of connections */

    /* What the answers that are due consist of, in their order: a ring. */
    unsigned char pending[ZOOKEEPER_PENDING];
    size_t first_pending, n_pending;

    struct zookeeper_task task;
    LIST_HEAD(zookeeper_looks, zookeeper_look) looks;
    size_t n_reads;
};

/* --- driver_zookeeper.c -------------------------------------------------------------------- */

/* Take a turn soon. */
void zookeeper_kick(struct zookeeper_session *session);

bool zookeeper_is_connected(const struct zookeeper_session *session);

/* The session is of no use any more; `why` is a constant, told when the turn ends. */
void zookeeper_break(struct zookeeper_session *session, enum driver_outcome outcome,
                     const char *why);

/*
 * A request was given to the library, which returned rc, and such an answer is due. Returns
 * whether it is on its way; if not, the session is over.
 */
bool zookeeper_sent(struct zookeeper_session *session, int rc, enum zookeeper_answer answer);

/* The first of the due answers has come, or never will: to be called first in each completion.
 * Returns whether anybody still cares. */
bool zookeeper_answered(struct zookeeper_session *session);

/* Whether the request is lost with the connection, and to be made again on the next one. */
bool zookeeper_is_lost(int rc);

/* What an error of the server comes to. */
enum driver_outcome zookeeper_outcome(int rc);

/*
 * The session is over when nothing is heard for conf->timeout_ms from now on; but while nothing
 * is due and there is a connection, silence is fine: the library has its pings.
 */
void zookeeper_renew_patience(struct zookeeper_session *session);

/* --- zookeeper_server.c -------------------------------------------------------------------- */

/* Look the server up, and give the library its addresses. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int zookeeper_server_find(struct zookeeper_session *session);
void zookeeper_server_forget(struct zookeeper_session *session);

/* --- zookeeper_task.c ---------------------------------------------------------------------- */

/* Take up the task that is wanted; there is a connection. */
void zookeeper_task_begin(struct zookeeper_session *session);
void zookeeper_task_free(struct zookeeper_task *task);

/* --- zookeeper_look.c ---------------------------------------------------------------------- */

/* driver->follow() */
void zookeeper_look_follow(void *arg, const char *service);

/* Begin what is wanted; there is a connection. */
void zookeeper_look_begin(struct zookeeper_session *session);
void zookeeper_look_free(struct zookeeper_session *session);

#endif
