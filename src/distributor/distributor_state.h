/*
 * What the files of this folder share: the star, its connections and the lists they stand in.
 */
#ifndef ZOMBIE_DISTRIBUTOR_DISTRIBUTOR_STATE_H
#define ZOMBIE_DISTRIBUTOR_DISTRIBUTOR_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "distributor/snapshot.h"
#include "distributor/table.h"
#include "http/networks.h"

struct address;
struct visitor;
struct control_server;
struct door;
struct event;
struct event_base;

TAILQ_HEAD(visitors, visitor);

/* What was counted since the start. */
struct distributor_tally {
    uint64_t connections;
    uint64_t frames;     /* that were read */
    uint64_t broadcasts; /* snapshots that were made to go to all */
    uint64_t answers;
    uint64_t sent_bytes;
    uint64_t refused_network; /* not in distributor.networks */
    uint64_t refused_full;    /* too many connections, or nodes */
    uint64_t refused_garbage; /* what it sent was no message, or too long */
    uint64_t refused_slow;    /* it did not read its list in time */
};

/* Lists that everybody is to get. */
struct broadcast {
    struct snapshots kept;   /* the newest, and those that slow readers are still at */
    struct snapshot *newest; /* NULL: none was needed yet */
    bool wanted;             /* a newer one is */
    size_t n_behind;         /* nodes that have not been sent the newest, or not all of it */
    int64_t began_ms;
    int64_t retry_ms;    /* no attempt before */
    struct visitors due; /* something is to be done for them, and nothing else will wake them */
    struct event *turn;
    int64_t turn_ms; /* when it comes; INT64_MAX: not */
};

/* How much was said of something in the second that began at since_ms. */
struct quota {
    int64_t since_ms;
    unsigned lines; /* that were wanted */
};

struct distributor {
    struct event_base *base;
    struct table table;
    struct broadcast broadcast;
    struct distributor_tally tally;
    struct door *door;
    struct control_server *control;

    /* Limits, which a reload changes. */
    size_t max_connections;
    size_t max_frame_bytes;
    int64_t send_timeout_ms;
    struct networks networks; /* none: all */

    struct visitors guests;  /* not registered, or not yet; the oldest first */
    struct visitors members; /* registered */
    size_t n_connections;
    struct visitors late;   /* who takes nothing at the moment, by deadline */
    struct event *deadline; /* of the first of them */
    char *buffer;           /* what is read goes through it: DISTRIBUTOR_READ_MAX bytes */

    int64_t started_ms;      /* monotonic */
    struct quota complaints; /* about connections that were closed */
    struct quota news;       /* of nodes that have come or gone */
};

/* What is read of one connection before others have their turn. */
#define DISTRIBUTOR_READ_MAX 65536

/* Whether the configuration lets this peer in. */
bool distributor_admits(const struct distributor *distributor, const struct address *peer);

/* Log that a connection was refused or cut off, unless the last second was full of that. */
void distributor_complain(struct distributor *distributor, const char *peer, const char *why);

/*
 * Log that a node has come, by that name, or (NULL) has gone, unless the last second was full of
 * that.
 */
void distributor_tell(struct distributor *distributor, const char *peer, const char *name);

#endif
