/*
 * What stands behind balancer.h: the memory itself, for the files of this
 * folder only. What an upstream has is changed under its lock. At every moment
 * a process may die and leave it to the next one, so that what has several
 * parts is made aside first and then put in place by one store.
 *
 * Each process may write here, and one that was taken over writes anything, at any
 * time. What is read is a number that a bound is put to, and texts end where
 * their room does; what has several readings is read once.
 */
#ifndef ZOMBIE_PROXY_BALANCER_STATE_H
#define ZOMBIE_PROXY_BALANCER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/shared_memory.h"
#include "proxy/balancer.h"
#include "proxy/choice.h"

#define CACHE_LINE 64

/* Of a member that belongs to no server. */
#define NO_SERVER UINT8_MAX

/* Who has a lock: place + 1, or this; 0: nobody. */
#define NUMBER_OF_MASTER UINT32_MAX

enum upstream_state {
    UPSTREAM_FREE, /* new, or between two titles */
    UPSTREAM_LIVE,
    UPSTREAM_RETIRED /* not in the configuration, but workers of an older one may use it */
};

/* Connections are given back without the lock. */
enum upstream_amiss {
    AMISS_NOW = 1, /* the sums are to be made anew */
    AMISS_EVER = 2 /* a process that died at this may have left no AMISS_NOW */
};

enum server_flag {
    SERVER_IS_NAME = 1,
    SERVER_IS_BACKUP = 2,
    SERVER_IS_DOWN = 4,
    SERVER_IS_DRAINED = 8, /* so are addresses that come later */
    SERVER_IS_FOUND = 16   /* a registry has named it, not the configuration */
};

/* A server as configured or found, see struct conf_server. */
struct server {
    char title[BALANCER_TITLE_SIZE];
    uint32_t flags; /* enum server_flag */
    uint32_t weight;
    uint32_t max_fails;
    uint32_t fail_timeout_ms;
    uint32_t max_conns;
    uint32_t slow_start_ms;
    struct address address;
};

/* Who a peer is; the figures are in a struct peer of the same index. */
struct member {
    uint8_t server; /* index */
    struct address address;
    char name[ADDRESS_TEXT_SIZE];
};

/* Who is a member: indices of peers. */
struct order {
    uint8_t at[PEER_MAX]; /* servers as configured, backups last; addresses of a name by text */
    uint8_t n_primary;
    uint8_t n;
};

/* One upstream as it is shared. The lock, and what each choice needs, come first. */
struct shared_upstream {
    _Alignas(CACHE_LINE) _Atomic uint32_t lock; /* the number of who has it */
    _Atomic uint32_t state;                     /* enum upstream_state; the master's */
    _Atomic uint32_t incarnation;               /* rises when the place gets another upstream */
    _Atomic uint32_t amiss;                     /* enum upstream_amiss */
    _Atomic uint32_t n_places;                  /* places from this one on have no connections */
    uint32_t n_peers;                           /* indices from this one on were never used */
    uint32_t last_incarnation;                  /* of a peer */
    int32_t balance;                            /* enum conf_balance */
    uint32_t eject_latency;
    uint64_t random;
    _Atomic uint64_t repairs;
    uint64_t retired;         /* the later, the higher; the master's */
    _Atomic uint32_t present; /* which of the orders holds */
    struct order orders[2];
    _Alignas(CACHE_LINE) struct peer peers[PEER_MAX];
    struct member members[PEER_MAX];
    char title[BALANCER_TITLE_SIZE];
    uint32_t n_servers;
    struct server servers[PEER_MAX];
};

/* Connections of one place. Only its process raises them; who buries it, clears them. */
struct place {
    _Atomic uint32_t cells[BALANCER_UPSTREAMS][PEER_MAX];
};

struct board {
    uint64_t layout;
    uint64_t n_places;
    uint64_t retired;             /* how many upstreams were, ever */
    _Atomic uint32_t n_upstreams; /* from this one on none was ever used */
    struct shared_upstream upstreams[BALANCER_UPSTREAMS];
    struct place places[]; /* pages of which are only there when touched */
};

struct balancer_upstream {
    struct balancer *balancer;
    struct shared_upstream *shared;
    unsigned index;
    uint32_t incarnation; /* of what was found */
    uint32_t holder;      /* whom the master has found with the lock, so often, since then */
    unsigned n_held;
    int64_t held_since_ms;
};

struct balancer {
    struct shared_memory memory;
    struct board *board;
    size_t n_places;
    uint32_t number; /* of this process */
    struct balancer_upstream upstreams[BALANCER_UPSTREAMS];
};

#define get_relaxed(field)        atomic_load_explicit(&(field), memory_order_relaxed)
#define set_relaxed(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

/* A value that others may change meanwhile: what it was at one moment. */
#define read_once(field) (*(const volatile __typeof__(field) *)&(field))

/* Whether a title or name that is shared is this one. */
#define is_text(shared_text, text) (strncmp(shared_text, text, sizeof(shared_text)) == 0)

/*
 * Take the lock and set right what its last holder left behind. balancer_lock()
 * waits up to 50 ms, but not in the master; balancer_try_lock() does not wait.
 * Returns 0 or -EAGAIN.
 */
__attribute__((warn_unused_result)) int balancer_try_lock(struct balancer_upstream *upstream);

/* What balancer_lock() does when it is not so simple. */
__attribute__((warn_unused_result)) int balancer_lock_hard(struct balancer_upstream *upstream,
                                                           bool is_taken);

__attribute__((warn_unused_result)) static inline int
balancer_lock(struct balancer_upstream *upstream)
{
    uint32_t nobody = 0;
    bool is_taken = atomic_compare_exchange_strong_explicit(
        &upstream->shared->lock, &nobody, upstream->balancer->number, memory_order_acquire,
        memory_order_relaxed);

    if (is_taken && (get_relaxed(upstream->shared->amiss) & AMISS_NOW) == 0)
        return 0;
    return balancer_lock_hard(upstream, is_taken);
}

/* For the master: the same as balancer_try_lock(), and who has this number is dead. */
__attribute__((warn_unused_result)) int balancer_lock_of(struct balancer_upstream *upstream,
                                                         uint32_t number);

void balancer_unlock(struct balancer_upstream *upstream);

/* With the lock: make the sums of connections anew. */
void balancer_recount(struct balancer_upstream *upstream);

/* Bounded by PEER_MAX, BALANCER_UPSTREAMS and what this process knows of places. */
static inline unsigned balancer_n_peers(const struct shared_upstream *shared)
{
    uint32_t n = read_once(shared->n_peers);

    return n < PEER_MAX ? n : PEER_MAX;
}

static inline unsigned balancer_n_servers(const struct shared_upstream *shared)
{
    uint32_t n = read_once(shared->n_servers);

    return n < PEER_MAX ? n : PEER_MAX;
}

static inline unsigned balancer_n_upstreams(const struct balancer *balancer)
{
    uint32_t n = atomic_load(&balancer->board->n_upstreams);

    return n < BALANCER_UPSTREAMS ? n : BALANCER_UPSTREAMS;
}

static inline unsigned balancer_n_places(const struct balancer_upstream *upstream)
{
    uint32_t n = get_relaxed(upstream->shared->n_places);

    return n < upstream->balancer->n_places ? n : (unsigned)upstream->balancer->n_places;
}

/* The index of a member's server, or NO_SERVER. */
static inline uint8_t balancer_server_of(const struct member *member)
{
    uint8_t server = read_once(member->server);

    return server < PEER_MAX ? server : NO_SERVER;
}

/* Copies of what others may write, as large as any may be. */
static inline struct address balancer_address(const struct address *shared)
{
    struct address address = *shared;

    if (address.len > sizeof(address.storage))
        address.len = sizeof(address.storage);
    return address;
}

static inline void balancer_copy_text(char *text, const char *shared, size_t size)
{
    memcpy(text, shared, size);
    text[size - 1] = '\0';
}

/* The counter of a place's connections to a peer. */
static inline _Atomic uint32_t *balancer_cell(const struct balancer_upstream *upstream,
                                              unsigned place, unsigned peer)
{
    return &upstream->balancer->board->places[place].cells[upstream->index][peer];
}

/* Copy the order that holds: indices below PEER_MAX. */
static inline void balancer_order(const struct shared_upstream *shared, struct order *ret_order)
{
    const struct order *order = &shared->orders[atomic_load(&shared->present) & 1];
    unsigned n = read_once(order->n);
    unsigned n_primary = read_once(order->n_primary);

    n = n < PEER_MAX ? n : PEER_MAX;
    for (unsigned k = 0; k < n; k++)
        ret_order->at[k] = order->at[k] % PEER_MAX;
    ret_order->n = (uint8_t)n;
    ret_order->n_primary = (uint8_t)(n_primary < n ? n_primary : n);
}

/* What is chosen from now, by a copy of the order; tried, client and random are the caller's. */
static inline struct choice balancer_choice(struct shared_upstream *shared,
                                            const struct order *order, int64_t now_ms)
{
    return (struct choice){.balance = read_once(shared->balance),
                           .peers = shared->peers,
                           .order = order->at,
                           .n_primary = order->n_primary,
                           .n = order->n,
                           .now_ms = now_ms};
}

#endif
