/*
 * The life that all children of the master have in common: they say who they
 * are, learn which instance they belong to, beat, and leave when they are told
 * to, by a signal, or because the master is gone.
 */
#ifndef ZOMBIE_LIFE_LIFE_H
#define ZOMBIE_LIFE_LIFE_H

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

#include "http/server.h"
#include "ipc/message.h"

struct event_base;
struct life;
struct scoreboard_slot;
struct worker_identity;

/* What a child is born with; the channel is its own, the rest is borrowed. */
struct life_birth {
    uint64_t id;   /* rises by one with each fork */
    uint32_t slot; /* its number */
    pid_t master;
    int channel_fd;
    struct scoreboard_slot *scoreboard;
    long grace_ms;      /* to finish once the master is gone */
    long drain_idle_ms; /* for idle connections when it leaves of its own accord */
};

/* What `begin` returns when READY is to wait for life_ready(). */
#define LIFE_BEGINS_LATER (-EINPROGRESS)

/* What is the role's own affair. */
struct life_callbacks {
    /* The instance is known: begin. Returns the number of listening sockets for READY,
     * LIFE_BEGINS_LATER, or -errno when it cannot. Comes once. */
    int (*begin)(void *arg);
    /* Finish; `drain` lacks only done and arg, which are life_end() and the life. */
    void (*drain)(const struct http_drain *drain, void *arg);
    /* The access log is that descriptor from now on, the callee's to close; NULL: there is none. */
    void (*move_access_log)(int fd, void *arg);
};

/*
 * Make the loop, take the signals, beat for the first time. Returns 0, or
 * -errno, and then nothing is left but the channel's descriptor.
 */
__attribute__((warn_unused_result)) int life_new(const struct life_birth *birth,
                                                 const struct life_callbacks *callbacks, void *arg,
                                                 struct life **ret_life);

/* The loop of this process. */
struct event_base *life_base(const struct life *life);

/* Who it is; the instance is "" until `begin` is called. */
const struct worker_identity *life_identity(const struct life *life);

/* Introduce itself and run until life_end(). Returns the exit status: 0 or 71 (EX_OSERR). */
int life_run(struct life *life);

/* Tell the master that it is READY, with so many listening sockets. */
void life_ready(struct life *life, unsigned listeners);

/* Say something to the master; a failure is logged. */
void life_tell(struct life *life, const struct message *message);

/* Tell the master that it leaves of its own accord, and drain. */
void life_leave(struct life *life, enum message_leaving_reason reason);

/* Leave the loop; fits http_drain.done with the life as its argument. */
void life_end(void *life);

/* Free; NULL is fine. The loop is gone then, so whatever uses it goes before. */
void life_free(struct life *life);

#endif
