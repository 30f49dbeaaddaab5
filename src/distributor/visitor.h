/*
 * Who has connected, a node or not yet one: what it says goes into the table, the list goes to it.
 * Nothing of it waits, and what it costs is bounded: half a frame read, one list on its way.
 */
#ifndef ZOMBIE_DISTRIBUTOR_VISITOR_H
#define ZOMBIE_DISTRIBUTOR_VISITOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/address.h"
#include "base/bytes.h"
#include "discovery/registries/frame.h"
#include "distributor/delivery.h"
#include "distributor/table.h"

struct distributor;
struct event;

struct visitor {
    struct distributor *distributor;
    struct event *event;
    int fd;
    in_port_t port;
    bool is_due;     /* stands in broadcast->due */
    bool is_late;    /* stands in distributor->late */
    bool is_behind;  /* is counted in broadcast->n_behind */
    bool is_blocked; /* its socket takes nothing now */
    bool has_input;  /* reading has not come to its end yet */
    bool asks;       /* waits for an answer; until then nothing else is read */
    bool is_answer;  /* what is on its way */
    char host[INET6_ADDRSTRLEN];
    TAILQ_ENTRY(visitor) place; /* in guests or members */
    TAILQ_ENTRY(visitor) due;
    TAILQ_ENTRY(visitor) late;
    struct node node;
    struct frames frames;
    struct delivery delivery;
    struct bytes head;      /* of the answer it waits for */
    uint64_t asked_version; /* of the table, which the answer has at least */
    int64_t late_since_ms;
};

/* Serve fd, non-blocking, which is the visitor's on success. Returns 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int visitor_open(struct distributor *distributor, int fd,
                                                     const struct address *peer);

/* Do what can be done now: read, send. May close it. */
void visitor_attend(struct visitor *visitor);

/* Leave the table and close; `why` (NULL: nothing to say) is logged. */
void visitor_close(struct visitor *visitor, const char *why);

/* There is a newer snapshot, which a node is to get; returns whether it is to be attended for it.
 */
bool visitor_update(struct visitor *visitor);

/* The peer's address; of no family when it has gone already. */
void visitor_address(const struct visitor *visitor, struct address *ret_address);

#endif
