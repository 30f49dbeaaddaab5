/*
 * The lock of an upstream: a word with the number of who has it. Its holder may
 * be killed, so the master sets it free; it may be stopped, so it is never waited for
 * without an end; and the word may be anything, if somebody has written to it.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "proxy/balancer_state.h"

#define WAIT_US 50000

/* The pauses of who waits: none, then others' turns, then this, doubled up to that. */
#define SPINS       16
#define YIELDS      16
#define SHORTEST_NS 20000L
#define LONGEST_NS  1000000L

/* Who has the lock each time that the master looks, so often and so long, is not at work with it.
 */
#define PATIENCE_LOOKS 100
#define PATIENCE_MS    5000

void balancer_recount(struct balancer_upstream *upstream)
{
    struct shared_upstream *shared = upstream->shared;
    unsigned n_peers = balancer_n_peers(shared);
    unsigned n_places = balancer_n_places(upstream);

    for (unsigned i = 0; i < n_peers; i++) {
        uint32_t connections = 0;

        for (unsigned place = 0; place < n_places; place++)
            connections += get_relaxed(*balancer_cell(upstream, place, i));
        shared->peers[i].connections = connections;
    }
}

/* Somebody died in the middle of something. A round of turns that was cut off is not gone on with.
 */
static void repair(struct balancer_upstream *upstream)
{
    struct shared_upstream *shared = upstream->shared;
    unsigned n_peers = balancer_n_peers(shared);

    for (unsigned i = 0; i < n_peers; i++)
        shared->peers[i].current = 0;
    balancer_recount(upstream);
    atomic_fetch_add_explicit(&shared->repairs, 1, memory_order_relaxed);
}

/* The lock is had. */
static int settle(struct balancer_upstream *upstream)
{
    if ((get_relaxed(upstream->shared->amiss) & AMISS_NOW) != 0) {
        atomic_fetch_and(&upstream->shared->amiss, ~(uint32_t)AMISS_NOW);
        balancer_recount(upstream);
    }
    return 0;
}

/* Puts the own number where `*number` is; if it is not there, says who is. */
static bool swap_in(struct balancer_upstream *upstream, uint32_t *number)
{
    return atomic_compare_exchange_strong_explicit(&upstream->shared->lock, number,
                                                   upstream->balancer->number, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Nobody has this number; or it is the own one, which somebody else must have written. */
static bool is_impossible(const struct balancer *balancer, uint32_t number)
{
    return number == balancer->number ||
           (number > balancer->n_places && number != NUMBER_OF_MASTER);
}

/* For the master. The number may be of a process that knows nothing of it. */
static bool is_stuck(struct balancer_upstream *upstream, uint32_t number)
{
    int64_t now_ms = clock_now_ms();

    if (upstream->holder != number) {
        upstream->holder = number;
        upstream->n_held = 0;
        upstream->held_since_ms = now_ms;
    }
    return ++upstream->n_held > PATIENCE_LOOKS && now_ms - upstream->held_since_ms >= PATIENCE_MS;
}

/* One try, where who has the number `dead` is no more; 0: nobody. */
static int try_once(struct balancer_upstream *upstream, uint32_t dead)
{
    const struct balancer *balancer = upstream->balancer;
    uint32_t holder = 0;
    bool is_taken = swap_in(upstream, &holder);

    if (!is_taken && (holder == dead || is_impossible(balancer, holder) ||
                      (balancer->number == NUMBER_OF_MASTER && is_stuck(upstream, holder)))) {
        is_taken = swap_in(upstream, &holder);
        if (is_taken)
            repair(upstream);
    }
    if (!is_taken)
        return -EAGAIN;
    upstream->holder = 0;
    return settle(upstream);
}

static void pause_for(unsigned round)
{
    struct timespec pause = {.tv_nsec = SHORTEST_NS};

    if (round < SPINS)
        return;
    if (round < SPINS + YIELDS) {
        sched_yield();
        return;
    }
    for (round -= SPINS + YIELDS; round > 0 && pause.tv_nsec < LONGEST_NS; round--)
        pause.tv_nsec *= 2;
    nanosleep(&pause, NULL);
}

static int wait_for(struct balancer_upstream *upstream)
{
    int64_t until_us = clock_now_us() + WAIT_US;
    int err = try_once(upstream, 0);

    for (unsigned round = 0; err != 0 && clock_now_us() < until_us; round++) {
        pause_for(round);
        err = try_once(upstream, 0);
    }
    return err;
}

int balancer_lock_hard(struct balancer_upstream *upstream, bool is_taken)
{
    if (is_taken)
        return settle(upstream);
    if (upstream->balancer->number == NUMBER_OF_MASTER)
        return try_once(upstream, 0);
    return wait_for(upstream);
}

int balancer_try_lock(struct balancer_upstream *upstream)
{
    return try_once(upstream, 0);
}

int balancer_lock_of(struct balancer_upstream *upstream, uint32_t number)
{
    return try_once(upstream, number);
}

/* Who has stood still for so long that another one has the lock, may have mixed up the sums. */
void balancer_unlock(struct balancer_upstream *upstream)
{
    uint32_t number = upstream->balancer->number;

    if (!atomic_compare_exchange_strong_explicit(&upstream->shared->lock, &number, 0,
                                                 memory_order_release, memory_order_relaxed))
        atomic_fetch_or(&upstream->shared->amiss, AMISS_NOW);
}
