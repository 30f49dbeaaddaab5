/*
 * The scoreboard: shared memory in which every worker writes what it does and
 * the master what the worker is. Anyone who has it mapped reads it without
 * locks, and it is still there when the worker is not.
 */
#ifndef ZOMBIE_IPC_SCOREBOARD_H
#define ZOMBIE_IPC_SCOREBOARD_H

#include <stddef.h>
#include <stdint.h>

/* Room for a method, a path and a client address, terminating NUL included; longer ones are cut. */
#define SCOREBOARD_METHOD_SIZE 16
#define SCOREBOARD_PATH_SIZE   129
#define SCOREBOARD_CLIENT_SIZE 56

/* Rises when the bytes mean something else: a new master must understand the old one's. */
#define SCOREBOARD_LAYOUT 4

/* Counters of limits that a slot has; what each counts is for http/limits.h to say. */
#define SCOREBOARD_LIMITS 32

/* Numbers of slots go from 1 to this: 1,024 workers, and then one for each other role. */
#define SCOREBOARD_NUMBERS 1040

/* Answers are counted by method and by class of status: 1xx is 0, 5xx is 4. */
enum scoreboard_method {
    SCOREBOARD_GET,
    SCOREBOARD_HEAD,
    SCOREBOARD_POST,
    SCOREBOARD_PUT,
    SCOREBOARD_PATCH,
    SCOREBOARD_DELETE,
    SCOREBOARD_OPTIONS,
    SCOREBOARD_OTHER,
    SCOREBOARD_METHODS
};
#define SCOREBOARD_CLASSES 5

/*
 * Histograms count by upper bounds in microseconds, inclusive; what is above the last has one
 * place more.
 */
#define SCOREBOARD_LATENCY_BOUNDS  15
#define SCOREBOARD_RECOVERY_BOUNDS 15
extern const uint64_t scoreboard_latency_bounds_us[SCOREBOARD_LATENCY_BOUNDS];
extern const uint64_t scoreboard_recovery_bounds_us[SCOREBOARD_RECOVERY_BOUNDS];

/* What the instance as a whole does. */
enum scoreboard_condition {
    SCOREBOARD_STARTING, /* nobody has served yet */
    SCOREBOARD_SERVING,
    SCOREBOARD_RELOADING, /* serves, and a next generation boots */
    SCOREBOARD_DEGRADED,  /* nobody serves, and new workers fail */
    SCOREBOARD_PAUSED,
    SCOREBOARD_STOPPING,
    SCOREBOARD_CONDITIONS
};

/* What the master counts, for the whole life of the instance. Deaths: each is of one kind. */
enum scoreboard_count {
    SCOREBOARD_FORKS,
    SCOREBOARD_DEATHS_RETIRED, /* the master wanted it: reload, restart, recycling, scaling, stop */
    SCOREBOARD_DEATHS_CHAOS,   /* asked for by /workerKiller or zombiectl */
    SCOREBOARD_DEATHS_LEFT,    /* it left by itself, after a signal */
    SCOREBOARD_DEATHS_EXIT,    /* it exited, unasked */
    SCOREBOARD_DEATHS_SIGNAL,  /* a signal killed it that was not the master's */
    SCOREBOARD_DEATHS_OOM,
    SCOREBOARD_DEATHS_HANG,
    SCOREBOARD_DEATHS_KILLED, /* by the master, for another reason than hanging */
    SCOREBOARD_RELOADS,
    SCOREBOARD_RELOADS_FAILED,
    SCOREBOARD_UPGRADES,
    SCOREBOARD_UPGRADES_FAILED,
    SCOREBOARD_POISONED, /* deaths that made a request shape a poison request */
    SCOREBOARD_COUNTS
};
#define SCOREBOARD_DEATHS (SCOREBOARD_DEATHS_KILLED - SCOREBOARD_DEATHS_RETIRED + 1)

struct scoreboard;

/* One worker's place, in cache lines of its own. */
struct scoreboard_slot;

/* What the master knows of a slot. */
struct scoreboard_place {
    uint32_t state; /* enum slot_state of cluster/slot.h */
    uint32_t number;
    uint64_t worker;
    int64_t pid;
    int64_t started_ms; /* CLOCK_MONOTONIC, as all times here */
};

/* What the master knows of the instance. */
struct scoreboard_instance {
    int64_t started_ms;
    int64_t beat_ms;     /* the master's loop: stamped about once a second */
    uint32_t condition;  /* enum scoreboard_condition */
    uint32_t generation; /* the current one */
    uint32_t upgrades;
    uint32_t strength; /* how many workers there are to be; 0: paused */
};

/* What became of the workers of one number, whatever places they had. */
struct scoreboard_tally {
    uint64_t respawns;
    uint64_t exit_worker; /* the last one that ended unplanned; 0: none yet */
    int64_t exit_status;  /* its wait status, as of waitpid(2) */
    int64_t exit_ms;
    uint32_t exit_kind; /* enum scoreboard_count: one of the deaths, never retired */
};

/* One request that is over. */
struct scoreboard_answer {
    enum scoreboard_method method;
    int status;        /* 100..599 */
    uint64_t received; /* bytes of the request */
    uint64_t sent;     /* and of the answer, heads included */
    uint64_t duration_us;
};

/* What a place has counted of all the workers that held it: these numbers only ever rise. */
struct scoreboard_traffic {
    uint64_t answers[SCOREBOARD_CLASSES][SCOREBOARD_METHODS];
    uint64_t latency[SCOREBOARD_LATENCY_BOUNDS + 1]; /* not cumulative */
    uint64_t latency_sum_us;
    uint64_t received; /* bytes */
    uint64_t sent;
    uint64_t accepted; /* connections */
};

/* What the worker is doing. */
struct scoreboard_work {
    int64_t heartbeat_ms;
    uint64_t requests;    /* answered so far */
    uint64_t connections; /* open now */
    int64_t since_ms;     /* begin of the request in flight; 0: none */
    char method[SCOREBOARD_METHOD_SIZE];
    char path[SCOREBOARD_PATH_SIZE];
    char client[SCOREBOARD_CLIENT_SIZE];
};

/* A request whose answer begins; all texts are copied. */
struct scoreboard_request {
    const char *method;
    const char *path;
    const char *client; /* its address, as address_format() writes it */
    int64_t since_ms;
};

/*
 * Make a scoreboard of n_slots empty slots in a memfd (memfd_create(2)),
 * sealed against a change of its size; or in anonymous memory where there can
 * be no memfd. Returns 0 or -errno.
 */
__attribute__((warn_unused_result)) int scoreboard_new(size_t n_slots,
                                                       struct scoreboard **ret_scoreboard);

/*
 * Map the scoreboard of n_slots slots that fd is: a master has handed it to the
 * program that takes its place. On success fd belongs to the scoreboard and is
 * closed on exec. Returns 0; or -EBADF when it has another size, or -errno, and fd
 * is untouched.
 */
__attribute__((warn_unused_result)) int scoreboard_adopt(int fd, size_t n_slots,
                                                         struct scoreboard **ret_scoreboard);

/* The descriptor of its memory, which stays the scoreboard's; -1: it has none to hand over. */
int scoreboard_fd(const struct scoreboard *scoreboard);

/* Unmap and close; NULL is fine. The memory lives on in processes that have it mapped. */
void scoreboard_free(struct scoreboard *scoreboard);

/* Slot i, 0 <= i < scoreboard_size(); belongs to the scoreboard. */
struct scoreboard_slot *scoreboard_at(struct scoreboard *scoreboard, size_t i);
size_t scoreboard_size(const struct scoreboard *scoreboard);

/*
 * For the master: what holds for the instance; counters; how long a number was without a
 * serving worker after a death; and the tally of a number, 1..SCOREBOARD_NUMBERS.
 */
void scoreboard_set_instance(struct scoreboard *scoreboard,
                             const struct scoreboard_instance *instance);
void scoreboard_count(struct scoreboard *scoreboard, enum scoreboard_count count);
/* A fork in place of a child that had died, by the kind of that death. */
void scoreboard_count_respawn(struct scoreboard *scoreboard, enum scoreboard_count death);
void scoreboard_recovered(struct scoreboard *scoreboard, uint64_t duration_us);
void scoreboard_set_tally(struct scoreboard *scoreboard, unsigned number,
                          const struct scoreboard_tally *tally);

/* For the master: note who holds the slot; clears the worker's part when the worker is a new one.
 */
void scoreboard_set_place(struct scoreboard_slot *slot, const struct scoreboard_place *place);

/* For the worker that holds the slot. */
void scoreboard_beat(struct scoreboard_slot *slot, int64_t now_ms);
void scoreboard_count_connections(struct scoreboard_slot *slot, uint64_t open);
void scoreboard_begin(struct scoreboard_slot *slot, const struct scoreboard_request *request);
void scoreboard_end(struct scoreboard_slot *slot);
void scoreboard_account(struct scoreboard_slot *slot, const struct scoreboard_answer *answer);
void scoreboard_count_accepted(struct scoreboard_slot *slot);
uint64_t scoreboard_requests(const struct scoreboard_slot *slot);

/*
 * Count that a client ran into limit number `limit` < SCOREBOARD_LIMITS; returns how often
 * that was in this slot. These counters outlive the worker: they only ever rise.
 */
uint64_t scoreboard_count_limit(struct scoreboard_slot *slot, unsigned limit);

/*
 * For any reader. The request in flight is read as a whole or, when its writer
 * changes it all the time or died while changing it, given as far as it is
 * legible: the texts always end.
 */
void scoreboard_read_place(const struct scoreboard_slot *slot, struct scoreboard_place *ret_place);
uint64_t scoreboard_read_limit(const struct scoreboard_slot *slot, unsigned limit);
void scoreboard_read_work(const struct scoreboard_slot *slot, struct scoreboard_work *ret_work);
void scoreboard_read_traffic(const struct scoreboard_slot *slot,
                             struct scoreboard_traffic *ret_traffic);
/* All answers in it. */
uint64_t scoreboard_answers(const struct scoreboard_traffic *traffic);
void scoreboard_read_instance(const struct scoreboard *scoreboard,
                              struct scoreboard_instance *ret_instance);
uint64_t scoreboard_read_count(const struct scoreboard *scoreboard, enum scoreboard_count count);
/* Of one kind of death, 0 for what is none; and of all. */
uint64_t scoreboard_read_respawns(const struct scoreboard *scoreboard, enum scoreboard_count death);
uint64_t scoreboard_respawns(const struct scoreboard *scoreboard);
/* Fills SCOREBOARD_RECOVERY_BOUNDS + 1 places, not cumulative, and the sum. */
void scoreboard_read_recovery(const struct scoreboard *scoreboard, uint64_t *ret_places,
                              uint64_t *ret_sum_us);
void scoreboard_read_tally(const struct scoreboard *scoreboard, unsigned number,
                           struct scoreboard_tally *ret_tally);

/* "retired", "chaos", "left", "exit", "signal", "oom", "hang", "killed"; NULL for what is no death.
 */
const char *scoreboard_death_name(enum scoreboard_count count);

/* "starting", "serving", "reloading", "degraded", "paused", "stopping"; "unknown" for any other. */
const char *scoreboard_condition_name(enum scoreboard_condition condition);

#endif
