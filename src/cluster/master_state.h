/*
 * What the master knows. Callbacks record here, reconcile() acts on it: for
 * the files of this folder only.
 */
#ifndef ZOMBIE_CLUSTER_MASTER_STATE_H
#define ZOMBIE_CLUSTER_MASTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/slot.h"
#include "ipc/message.h"

struct channel;
struct conf;
struct event;
struct event_base;
struct listeners;
struct master;
struct respawn;
struct scoreboard;

/*
 * A place in the table. Its number, 1..N, is what users see and outlives its
 * workers; while a worker leaves of its own accord, its successor holds a
 * second slot of the same number.
 */
struct slot {
    enum slot_state state;
    unsigned number; /* 0: free for anybody */
    struct master *master;
    uint64_t worker;
    pid_t pid;
    struct channel *channel;
    int64_t started_ms;
    int64_t ready_ms;       /* 0: not yet */
    int64_t deadline_ms;    /* what is due then depends on the state; INT64_MAX: nothing */
    unsigned failed_boots;  /* in a row */
    bool leaving;           /* a successor may take the number */
    bool asked;             /* it has sent MASTER_ID */
    bool deliberate;        /* its death was asked for */
    int64_t doom_ms;        /* from when on it is; INT64_MAX: nobody asked */
    bool crashed;           /* the last worker did; refilling costs budget */
    bool held;              /* it exited with 78 (EX_CONFIG): not refilled */
    const char *killed_for; /* why the master sends or sent SIGKILL, or NULL */
};

/* Room for the cause of a death in words. */
#define MASTER_CAUSE_SIZE 96

/* In the order of haste; there is no way back. */
enum master_phase {
    MASTER_RUNNING,
    MASTER_STOPPING_UNHURRIED,
    MASTER_STOPPING,
    MASTER_STOPPING_FAST
};

/* What callbacks ask of the next turn of the loop. */
enum master_want { WANT_REAP = 1, WANT_STOP = 2, WANT_STOP_UNHURRIED = 4, WANT_STOP_FAST = 8 };

struct master {
    const struct conf *conf;
    struct event_base *base;
    struct event *signals;
    struct event *timer;
    int signal_fd;
    struct listeners *listeners;
    struct scoreboard *scoreboard;
    struct respawn *respawn;
    uint8_t uuid[MESSAGE_UUID_SIZE];
    pid_t pid;
    unsigned workers; /* N: how many slots are to be filled */
    struct slot *slots;
    size_t n_slots; /* more than N: room for successors */
    uint64_t last_worker;
    unsigned wants; /* of enum master_want */
    enum master_phase phase;
    int64_t refill_ms;     /* not before; 0: at once */
    int64_t complained_ms; /* when the log last said so */
    bool degraded;
    char last_death[MASTER_CAUSE_SIZE]; /* how the last worker ended */
    int status;                         /* to exit with */
    int64_t oom_kills;                  /* of our cgroup, as last seen */
    uint64_t strangers;                 /* processes reaped that were no workers of ours */
};

#endif
