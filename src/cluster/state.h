/*
 * What a master hands to the program that takes its place by execve(2): plain
 * data, written as JSON so that another version can read it or refuse it with
 * a reason. Nothing here touches a descriptor; both directions are pure.
 */
#ifndef ZOMBIE_CLUSTER_STATE_H
#define ZOMBIE_CLUSTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/journal.h"
#include "cluster/recorder.h"
#include "cluster/slot.h"

/* Rises with each change of meaning here; the layout of the scoreboard and of messages has its own
 * number. States from the oldest version on are read; what they lack is 0, or -1 where that
 * stands for none. */
#define STATE_VERSION        5
#define STATE_VERSION_OLDEST 1

/* Room for the reason of a refusal. */
#define STATE_ERROR_SIZE 256

/* A listening socket. */
struct state_listener {
    char *title; /* as the configuration names it */
    int fd;
    uint64_t device;  /* of a unix socket's file, */
    uint64_t inode;   /* ... which the master removes; both 0: none */
    uint32_t socket;  /* 0, 1, ...: those of one address follow each other; since version 2 */
    uint32_t purpose; /* enum purpose of purpose.h; since version 3 */
};

/* A worker that lives. */
struct state_worker {
    uint32_t place;  /* on the scoreboard and in the table */
    uint32_t number; /* of its slot, 1.. */
    uint32_t generation;
    enum slot_state state; /* STARTING, SERVING, DRAINING or KILLED */
    uint64_t worker;
    pid_t pid;
    int channel_fd; /* -1: closed already */
    int64_t started_ms;
    int64_t ready_ms;    /* 0: not yet */
    int64_t deadline_ms; /* INT64_MAX: none */
    int64_t doom_ms;     /* INT64_MAX: none */
    bool leaving;
    bool candidate;
    bool asked;
    bool deliberate;
    bool chaos; /* it was born with chaos.enabled */
};

struct state {
    uint8_t uuid[16];   /* the instance */
    int64_t started_ms; /* the instance, CLOCK_MONOTONIC as all times here */
    uint32_t generation;
    uint64_t last_worker;
    uint64_t strangers; /* processes reaped that were no workers */
    uint32_t upgrades;  /* so far */
    uint32_t strength;  /* how many workers there are to be; 0: paused */
    int scoreboard_fd;
    uint32_t scoreboard_places;
    uint32_t places;      /* of them in use so far */
    int configuration_fd; /* what conf_save() wrote of the one in force; -1: none */
    int pidfile_fd;       /* -1: none */
    char *pidfile;        /* path, NULL: none */
    struct state_listener *listeners;
    size_t n_listeners;
    struct state_worker *workers;
    size_t n_workers;
    struct death *deaths; /* oldest first */
    size_t n_deaths;
    int log_ring_fd;              /* -1: none; since version 3, as what follows */
    struct journal_entry *events; /* oldest first */
    size_t n_events;
    int balancer_fd;  /* -1: none; since version 4 */
    int directory_fd; /* -1: none; since version 5 */
};

/*
 * Write the state as JSON text (ASCII, one line, always the same for the same
 * state), allocated, for the caller to free(3); `layouts` is the number that
 * both programs must agree on besides STATE_VERSION (that of scoreboard and
 * messages). A byte of a text is written as the character of the same number,
 * since paths need not be UTF-8. Nothing is checked: a state that breaks the
 * rules of state_decode() is written, and refused there. Returns 0 or -ENOMEM.
 */
__attribute__((warn_unused_result)) int state_encode(const struct state *state, uint32_t layouts,
                                                     char **ret_text);

/*
 * Read such a text of len bytes, of this version or one that is older, down to
 * STATE_VERSION_OLDEST. Returns 0 and fills *ret_state, to be freed
 * with state_clear(); or -EPROTO for another version or other layouts, whatever
 * else the object holds, -EBADMSG for anything that is no such text, -ENOMEM;
 * then `error` says what and where, and *ret_state is untouched.
 *
 * A state has all members of its version and no others, within the ranges of state.c. No
 * descriptor, place, pid or worker occurs twice; places are below
 * scoreboard_places, workers at most last_worker; pids are above 1, so that each
 * may go to kill(2); socket n + 1 of a title comes right after its socket n;
 * nobody is leaving and a candidate; the pid file has both a path and a
 * descriptor, or neither.
 */
__attribute__((warn_unused_result)) int state_decode(const char *text, size_t len, uint32_t layouts,
                                                     struct state *ret_state,
                                                     char error[STATE_ERROR_SIZE]);

/* Free what is in it, not the struct itself. Descriptors stay open. */
void state_clear(struct state *state);

#endif
