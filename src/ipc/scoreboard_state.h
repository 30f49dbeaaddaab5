/*
 * What stands behind scoreboard.h: the memory itself, for the files of this
 * folder only. Each word has one writer; whoever reads takes it in one piece.
 */
#ifndef ZOMBIE_IPC_SCOREBOARD_STATE_H
#define ZOMBIE_IPC_SCOREBOARD_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shared_memory.h"
#include "ipc/scoreboard.h"

#define CACHE_LINE  64
#define WORDS(size) (((size) + sizeof(uint64_t) - 1) / sizeof(uint64_t))

/* The request in flight, as words, so that each is read and written in one piece. */
struct flight {
    _Atomic uint64_t sequence;
    _Atomic int64_t since_ms;
    _Atomic uint64_t method[WORDS(SCOREBOARD_METHOD_SIZE)];
    _Atomic uint64_t path[WORDS(SCOREBOARD_PATH_SIZE)];
    _Atomic uint64_t client[WORDS(SCOREBOARD_CLIENT_SIZE)];
};

/* struct scoreboard_traffic as it is shared. */
struct traffic {
    _Atomic uint64_t answers[SCOREBOARD_CLASSES][SCOREBOARD_METHODS];
    _Atomic uint64_t latency[SCOREBOARD_LATENCY_BOUNDS + 1];
    _Atomic uint64_t latency_sum_us;
    _Atomic uint64_t received;
    _Atomic uint64_t sent;
    _Atomic uint64_t accepted;
};

/* The master's line, then the worker's, then what outlives it: none steals another's line. */
struct scoreboard_slot {
    _Alignas(CACHE_LINE) _Atomic uint32_t state;
    _Atomic uint32_t number;
    _Atomic uint64_t worker;
    _Atomic int64_t pid;
    _Atomic int64_t started_ms;
    _Alignas(CACHE_LINE) _Atomic int64_t heartbeat_ms;
    _Atomic uint64_t requests;
    _Atomic uint64_t connections;
    struct flight flight;
    _Atomic uint64_t limits[SCOREBOARD_LIMITS]; /* of all workers of the slot so far */
    _Alignas(CACHE_LINE) struct traffic traffic;
};

struct tally {
    _Atomic uint64_t sequence;
    _Atomic uint64_t respawns;
    _Atomic uint64_t exit_worker;
    _Atomic int64_t exit_status;
    _Atomic int64_t exit_ms;
    _Atomic uint32_t exit_kind;
};

/* All of it. What stands before the slots is the master's. */
struct board {
    _Alignas(CACHE_LINE) _Atomic int64_t started_ms;
    _Atomic int64_t beat_ms;
    _Atomic uint32_t condition;
    _Atomic uint32_t generation;
    _Atomic uint32_t upgrades;
    _Atomic uint32_t strength;
    _Atomic uint64_t counts[SCOREBOARD_COUNTS];
    _Atomic uint64_t respawns[SCOREBOARD_DEATHS];
    _Atomic uint64_t recovery[SCOREBOARD_RECOVERY_BOUNDS + 1];
    _Atomic uint64_t recovery_sum_us;
    struct tally tallies[SCOREBOARD_NUMBERS]; /* of number 1 first */
    struct scoreboard_slot slots[];
};

struct scoreboard {
    struct shared_memory memory;
    struct board *board;
    size_t n_slots;
};

#define get_relaxed(field)        atomic_load_explicit(&(field), memory_order_relaxed)
#define set_relaxed(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

/* No atomic addition, which would cost more: there is one writer. */
#define add_relaxed(field, n) set_relaxed(field, get_relaxed(field) + (n))

/*
 * Several words that belong together: a seqlock (Lameter 2005). The sequence is
 * odd while its writer is at work.
 */
static inline uint64_t sequence_open(_Atomic uint64_t *sequence)
{
    uint64_t before = atomic_load_explicit(sequence, memory_order_relaxed);
    atomic_store_explicit(sequence, before + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return before;
}

static inline void sequence_close(_Atomic uint64_t *sequence, uint64_t before)
{
    atomic_store_explicit(sequence, before + 2, memory_order_release);
}

static inline uint64_t sequence_look(const _Atomic uint64_t *sequence)
{
    return atomic_load_explicit(sequence, memory_order_acquire);
}

/* Whether what was read since sequence_look() is a whole. */
static inline bool sequence_stood(const _Atomic uint64_t *sequence, uint64_t before)
{
    atomic_thread_fence(memory_order_acquire);
    return before % 2 == 0 && before == atomic_load_explicit(sequence, memory_order_relaxed);
}

/* How often a reader looks again before it takes what is legible. */
#define SEQUENCE_ATTEMPTS 100

/* Which place of a histogram of n bounds, 0..n, counts the value. Most are small: it is a scan. */
static inline size_t histogram_place(const uint64_t *bounds, size_t n, uint64_t value)
{
    size_t place = 0;
    while (place < n && value > bounds[place])
        place++;
    return place;
}

#endif
