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

/* Rises when the bytes of a slot mean something else: a new master must understand the old one's.
 */
#define SCOREBOARD_LAYOUT 2

/* Counters of limits that a slot has; what each counts is for http/limits.h to say. */
#define SCOREBOARD_LIMITS 32

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

/* How the last worker of a slot ended, wait status as of waitpid(2). */
struct scoreboard_exit {
    uint64_t worker; /* 0: none has ended yet */
    int64_t wait_status;
    int64_t when_ms;
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

/* Slot i, 0 <= i < n_slots; belongs to the scoreboard. */
struct scoreboard_slot *scoreboard_at(struct scoreboard *scoreboard, size_t i);

/* For the master: note who holds the slot; clears the worker's part when the worker is a new one.
 */
void scoreboard_set_place(struct scoreboard_slot *slot, const struct scoreboard_place *place);
void scoreboard_set_exit(struct scoreboard_slot *slot, const struct scoreboard_exit *last);

/* For the worker that holds the slot. */
void scoreboard_beat(struct scoreboard_slot *slot, int64_t now_ms);
void scoreboard_count_connections(struct scoreboard_slot *slot, uint64_t open);
void scoreboard_begin(struct scoreboard_slot *slot, const struct scoreboard_request *request);
void scoreboard_end(struct scoreboard_slot *slot);
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
void scoreboard_read_exit(const struct scoreboard_slot *slot, struct scoreboard_exit *ret_last);
void scoreboard_read_work(const struct scoreboard_slot *slot, struct scoreboard_work *ret_work);

#endif
