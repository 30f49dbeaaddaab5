#include "config.h"

#include "proxy/balancer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/balancer_state.h"

/* Tells a balancer from other memory. */
#define MAGIC (UINT64_C(0x5a6c620000000000) | BALANCER_LAYOUT)

/* So often a counter is tried to be lowered that somebody else writes to. */
#define TRIES 1000

static size_t bytes_of(size_t n_places)
{
    return sizeof(struct board) + n_places * sizeof(struct place);
}

static int allocate(size_t n_places, struct balancer **ret_balancer)
{
    struct balancer *balancer = calloc(1, sizeof *balancer);

    if (balancer == NULL)
        return -ENOMEM;
    balancer->memory.fd = -1;
    balancer->n_places = n_places;
    balancer->number = NUMBER_OF_MASTER;
    *ret_balancer = balancer;
    return 0;
}

/* The memory is there: make it known. */
static void attach(struct balancer *balancer)
{
    balancer->board = balancer->memory.at;
    for (unsigned i = 0; i < BALANCER_UPSTREAMS; i++)
        balancer->upstreams[i] = (struct balancer_upstream){
            .balancer = balancer,
            .shared = &balancer->board->upstreams[i],
            .index = i,
        };
}

/* The memory is there, or is not. */
static int finish(struct balancer *balancer, int err, struct balancer **ret_balancer)
{
    if (err != 0) {
        balancer_free(balancer);
        return err;
    }
    *ret_balancer = balancer;
    return 0;
}

int balancer_new(size_t n_places, struct balancer **ret_balancer)
{
    struct balancer *balancer;
    int err = allocate(n_places, &balancer);

    if (err != 0)
        return err;
    err = shared_memory_new("zombie-balancer", bytes_of(n_places), &balancer->memory);
    if (err == 0) {
        attach(balancer);
        balancer->board->n_places = n_places;
        balancer->board->layout = MAGIC;
    }
    return finish(balancer, err, ret_balancer);
}

int balancer_adopt(int fd, size_t n_places, struct balancer **ret_balancer)
{
    struct balancer *balancer;
    int err = allocate(n_places, &balancer);

    if (err != 0)
        return err;
    err = shared_memory_adopt(fd, bytes_of(n_places), &balancer->memory);
    if (err == 0) {
        attach(balancer);
        if (balancer->board->layout != MAGIC || balancer->board->n_places != n_places) {
            balancer->memory.fd = -1;
            err = -EBADF;
        }
    }
    return finish(balancer, err, ret_balancer);
}

int balancer_fd(const struct balancer *balancer)
{
    return balancer->memory.fd;
}

void balancer_as(struct balancer *balancer, unsigned place)
{
    balancer->number = place + 1;
}

void balancer_free(struct balancer *balancer)
{
    if (balancer == NULL)
        return;
    shared_memory_clear(&balancer->memory);
    free(balancer);
}

struct balancer_upstream *balancer_at(struct balancer *balancer, size_t i)
{
    struct balancer_upstream *upstream = &balancer->upstreams[i];

    if (i >= balancer_n_upstreams(balancer) ||
        atomic_load(&upstream->shared->state) != UPSTREAM_LIVE)
        return NULL;
    return upstream;
}

/* The master may be giving the place to another title meanwhile. */
static bool claim(struct balancer_upstream *upstream, const char *title)
{
    uint32_t incarnation = atomic_load(&upstream->shared->incarnation);

    if (!is_text(upstream->shared->title, title) ||
        atomic_load(&upstream->shared->incarnation) != incarnation)
        return false;
    upstream->incarnation = incarnation;
    return true;
}

struct balancer_upstream *balancer_find(struct balancer *balancer, const char *title)
{
    for (size_t i = 0; i < BALANCER_UPSTREAMS; i++) {
        struct balancer_upstream *upstream = balancer_at(balancer, i);

        if (upstream != NULL && claim(upstream, title))
            return upstream;
    }
    return NULL;
}

/* The one place that raises a counter; the place's number is known before the counter is. */
static void count_one(struct balancer_upstream *upstream, unsigned place, unsigned peer)
{
    struct shared_upstream *shared = upstream->shared;

    if (place >= get_relaxed(shared->n_places))
        set_relaxed(shared->n_places, place + 1);
    atomic_fetch_add_explicit(balancer_cell(upstream, place, peer), 1, memory_order_relaxed);
    shared->peers[peer].connections++;
}

static void fill_pick(const struct shared_upstream *shared, unsigned peer,
                      struct balancer_pick *ret_pick)
{
    const struct member *member = &shared->members[peer];

    ret_pick->peer = peer;
    ret_pick->incarnation = shared->peers[peer].incarnation;
    ret_pick->began_us = 0;
    ret_pick->address = balancer_address(&member->address);
    balancer_copy_text(ret_pick->name, member->name, sizeof(ret_pick->name));
}

/* Returns the index of the peer, or -1. */
static int choose(struct balancer_upstream *upstream, const struct peer_set *tried,
                  const struct address *client, int64_t now_ms)
{
    struct shared_upstream *shared = upstream->shared;
    struct order order;
    struct choice choice;

    if (get_relaxed(shared->incarnation) != upstream->incarnation)
        return -1;
    balancer_order(shared, &order);
    choice = balancer_choice(shared, &order, now_ms);
    choice.tried = tried;
    choice.client = client;
    choice.random = &shared->random;
    return choice_make(&choice);
}

int balancer_choose(struct balancer_upstream *upstream, unsigned place, struct peer_set *tried,
                    const struct address *client, int64_t now_ms, struct balancer_pick *ret_pick)
{
    int chosen;

    if (place >= upstream->balancer->n_places)
        return -EINVAL;
    if (balancer_lock(upstream) != 0)
        return -EAGAIN;
    chosen = choose(upstream, tried, client, now_ms);
    if (chosen >= 0) {
        count_one(upstream, place, (unsigned)chosen);
        peer_set_add(tried, (unsigned)chosen);
        fill_pick(upstream->shared, (unsigned)chosen, ret_pick);
    }
    balancer_unlock(upstream);
    return chosen >= 0 ? 0 : -ENOENT;
}

/* Take one off the counter of the place; false: it was buried, the connection is not counted. */
static bool uncount_cell(_Atomic uint32_t *cell)
{
    uint32_t n = get_relaxed(*cell);

    for (unsigned i = 0; n > 0 && i < TRIES; i++)
        if (atomic_compare_exchange_weak_explicit(cell, &n, n - 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void learn_failure(struct shared_upstream *shared, struct peer *peer, int64_t now_ms)
{
    struct order order;
    struct choice choice;

    balancer_order(shared, &order);
    choice = balancer_choice(shared, &order, now_ms);
    peer_failed(peer, choice_is_single(&choice), now_ms);
}

static void judge_latency(struct shared_upstream *shared, struct peer *peer, int64_t now_ms)
{
    struct order order;
    struct choice choice;
    unsigned i = (unsigned)(peer - shared->peers);

    balancer_order(shared, &order);
    choice = balancer_choice(shared, &order, now_ms);
    if (choice_is_outlier(&choice, i, shared->eject_latency))
        peer_eject(peer, now_ms);
}

static void learn(struct shared_upstream *shared, struct peer *peer, enum balancer_outcome outcome,
                  int64_t now_ms, int64_t latency_us)
{
    if (outcome == BALANCER_FAILED)
        learn_failure(shared, peer, now_ms);
    if (outcome != BALANCER_OK)
        return;
    peer_succeeded(peer, now_ms);
    if (latency_us < 0)
        return;
    peer_learn_latency(peer, latency_us);
    if (shared->eject_latency != 0)
        judge_latency(shared, peer, now_ms);
}

/* A process that is killed between the two is noticed when it is buried. */
static void give_back_unlocked(struct shared_upstream *shared, _Atomic uint32_t *cell)
{
    atomic_fetch_or(&shared->amiss, AMISS_EVER);
    if (uncount_cell(cell))
        atomic_fetch_or(&shared->amiss, AMISS_NOW);
}

void balancer_done(struct balancer_upstream *upstream, unsigned place,
                   const struct balancer_pick *pick, enum balancer_outcome outcome, int64_t now_ms,
                   int64_t latency_us)
{
    struct shared_upstream *shared = upstream->shared;
    struct peer *peer = &shared->peers[pick->peer];
    _Atomic uint32_t *cell = balancer_cell(upstream, place, pick->peer);
    bool is_locked = balancer_lock(upstream) == 0;

    /* While the connection is counted, no other peer gets this index. */
    if (peer->incarnation == pick->incarnation) {
        if (!is_locked) {
            give_back_unlocked(shared, cell);
        } else if (uncount_cell(cell)) {
            peer->connections--;
            learn(shared, peer, outcome, now_ms, latency_us);
        }
    }
    if (is_locked)
        balancer_unlock(upstream);
}

static void bury_in(struct balancer_upstream *upstream, unsigned place)
{
    struct shared_upstream *shared = upstream->shared;
    unsigned n_peers = balancer_n_peers(shared);

    for (unsigned i = 0; i < n_peers; i++)
        shared->peers[i].connections -= atomic_exchange(balancer_cell(upstream, place, i), 0);
    if ((atomic_fetch_and(&shared->amiss, ~(uint32_t)AMISS_EVER) & AMISS_EVER) != 0)
        balancer_recount(upstream);
}

/* A process may have the lock that never had a connection. */
static bool has_nothing(const struct balancer_upstream *upstream, unsigned place)
{
    return place >= balancer_n_places(upstream) && get_relaxed(upstream->shared->lock) == 0;
}

bool balancer_bury(struct balancer *balancer, unsigned place)
{
    unsigned n_upstreams = balancer_n_upstreams(balancer);
    bool is_done = true;

    for (size_t i = 0; i < n_upstreams; i++) {
        struct balancer_upstream *upstream = &balancer->upstreams[i];

        if (has_nothing(upstream, place))
            continue;
        if (balancer_lock_of(upstream, place + 1) != 0) {
            is_done = false;
            continue;
        }
        bury_in(upstream, place);
        balancer_unlock(upstream);
    }
    return is_done;
}
