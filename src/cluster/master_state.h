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

#include "cluster/hang.h"
#include "cluster/journal.h"
#include "cluster/recorder.h"
#include "cluster/sample.h"
#include "cluster/share.h"
#include "cluster/slot.h"
#include "cluster/tally.h"
#include "ipc/message.h"

struct balancer;
struct directory;
struct cgroup_meter;
struct channel;
struct conf;
struct control_link;
struct event;
struct event_base;
struct generation;
struct launch;
struct log_ring;
struct master;
struct pidfile;
struct respawn;
struct scoreboard;

/*
 * A place in the table. Its number (role.h) is what users see and outlives its
 * workers. Places that share a number: the holder; those that are leaving; and a
 * candidate that will take the holder's place once it is READY.
 */
struct slot {
    enum slot_state state;
    unsigned number; /* 0: free for anybody */
    struct master *master;
    unsigned generation;
    struct share share; /* of the sockets, as the worker was born */
    uint64_t worker;
    pid_t pid;
    struct channel *channel;
    int64_t started_ms;
    int64_t ready_ms;        /* 0: not yet */
    int64_t deadline_ms;     /* what is due then depends on the state; INT64_MAX: nothing */
    unsigned failed_boots;   /* in a row */
    bool leaving;            /* a successor may take the number */
    bool candidate;          /* waits to take it */
    bool recycled;           /* leaves because of max_requests and the like */
    bool retired;            /* leaves because the master wants it to */
    bool chaos;              /* it was born with chaos.enabled */
    bool asked;              /* it has sent MASTER_ID */
    unsigned heard;          /* messages from it */
    bool deliberate;         /* its death was asked for */
    int64_t doom_ms;         /* from when on it is; INT64_MAX: nobody asked */
    bool crashed;            /* the last worker did; refilling costs budget */
    bool held;               /* not refilled: it exited with 78 (EX_CONFIG), or was drained */
    bool drained;            /* that is why it is held */
    bool successor;          /* it came after one that had died */
    bool remains;            /* of the last process in the balancer: nobody may be born here */
    const char *killed_for;  /* why the master kills or killed it, or NULL */
    struct hang_pulse pulse; /* of its heartbeat */
    struct sample sample;    /* what it uses */
};

/* Why a worker is killed that has been silent for too long. */
#define MASTER_HANGS "it hangs"

/* Room for the cause of a death in words. */
#define MASTER_CAUSE_SIZE 96

/* Room for how a reload ended, in words. */
#define MASTER_OUTCOME_SIZE 1024

/* In the order of haste; there is no way back. */
enum master_phase {
    MASTER_RUNNING,
    MASTER_STOPPING_UNHURRIED,
    MASTER_STOPPING,
    MASTER_STOPPING_FAST
};

/* What callbacks ask of the next turn of the loop. */
enum master_want {
    WANT_REAP = 1,
    WANT_STOP = 2,
    WANT_STOP_UNHURRIED = 4,
    WANT_STOP_FAST = 8,
    WANT_RELOAD = 16,
    WANT_REOPEN = 32,
    WANT_UPGRADE = 64,
    WANT_MORE = 128,
    WANT_FEWER = 256,
    WANT_PAUSE = 512
};

/* How the last reload or upgrade ended. */
struct outcome {
    uint64_t number; /* of how many there have been; 0: none yet */
    bool succeeded;
    int64_t wall_ms;     /* when, since 1970 */
    unsigned generation; /* that serves since */
    char text[MASTER_OUTCOME_SIZE];
};

/* What a stop has cost those who were served. */
struct toll {
    unsigned killed;      /* workers that had not finished in time */
    uint64_t connections; /* cut: those of workers that died with them, or dropped them */
};

/* A reload under way. */
struct reload {
    struct generation *next; /* NULL: none */
    unsigned workers;        /* how many it is to have */
    int64_t began_ms;
    int64_t deadline_ms;     /* to be READY */
    bool moves_pidfile;      /* to another path, or to none */
    struct pidfile *pidfile; /* that other one; NULL: none */
    bool failed;             /* one of its workers did not become READY */
};

/* What the balancer is still to be told, see balance.h. */
enum balance { BALANCE_DONE, BALANCE_TRY, BALANCE_SETTLE };

/* The trial of a new program before an upgrade. */
struct upgrade {
    pid_t pid;     /* of the trial; 0: none runs */
    int report_fd; /* what it says */
    int64_t deadline_ms;
    bool expired; /* it was killed for being late */
    bool passed;  /* the next turn executes the program */
};

struct master {
    const struct launch *launch;
    struct generation *current;
    const struct conf *conf; /* of the current generation */
    struct event_base *base;
    struct event *signals;
    struct event *timer;
    int signal_fd;
    struct pidfile *pidfile; /* NULL: none */
    struct scoreboard *scoreboard;
    struct balancer *balancer;
    struct directory *directory; /* of services; the herald writes it */
    enum balance balance;
    struct respawn *respawn;
    struct cgroup_meter *meter; /* NULL: no cgroup can be read */
    uint8_t uuid[MESSAGE_UUID_SIZE];
    pid_t pid;
    int64_t started_ms;
    unsigned upgrades;
    unsigned workers; /* N: how many slots are to be filled; 0: paused */
    struct slot *slots;
    size_t n_slots; /* in use so far; more than N: room for leavers and candidates */
    uint64_t last_worker;
    unsigned last_generation;
    unsigned wants;   /* of enum master_want */
    unsigned waiting; /* wants that cannot be met yet */
    enum master_phase phase;
    struct toll toll;
    struct reload reload;
    uint64_t reloads; /* begun so far */
    struct outcome reloaded;
    struct upgrade upgrade;
    uint64_t trials; /* of upgrades, begun so far */
    struct outcome upgraded;
    int64_t patrol_ms;         /* when the next look at the workers is due */
    struct hang_watch watch;   /* fair time, by which silence is judged */
    int64_t recycle_ms;        /* no worker is recycled before */
    unsigned recycled_last;    /* the number of the slot that was; the next in turn follows */
    unsigned recycle_failures; /* successors that did not become READY, in a row */
    int pidfile_error;         /* as the log last had it */
    int64_t refill_ms;         /* not before; 0: at once */
    int64_t complained_ms;     /* when the log last said so */
    bool shares_changed;       /* see sharing.h */
    bool ready;                /* a worker has served */
    bool degraded;
    char last_death[MASTER_CAUSE_SIZE]; /* how the last worker ended */
    int ordered_level;                  /* of the log, until the next reload; -1: as configured */
    int status;                         /* to exit with */
    int64_t oom_kills;                  /* of our cgroup, as last seen */
    uint64_t strangers;                 /* processes reaped that were no workers */
    struct recorder recorder;
    struct journal journal;
    struct tallies *tallies;
    struct log_ring *log_ring; /* NULL: none */
    struct control_link *control;
    struct sample sample; /* of this process */
};

#endif
