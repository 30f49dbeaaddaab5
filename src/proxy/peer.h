/*
 * One server of an upstream as the balancing sees it: what the configuration
 * says of it, how it has done, and whether it may be chosen. Plain numbers, no
 * locks; the time is a parameter, in milliseconds of one monotonic clock. The
 * numbers may be anything, and change at any time: see balancer.h.
 */
#ifndef ZOMBIE_PROXY_PEER_H
#define ZOMBIE_PROXY_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

/* The most peers that an upstream has; their indices fit one byte. */
#define PEER_MAX 128

/* Weights are counted in such parts, for slow start to make something of a weight of 1. */
#define PEER_SCALE 1024

/* So many answers make a latency that is worth comparing. */
#define PEER_LATENCY_SAMPLES 10

/* Indices of peers: below PEER_MAX. */
struct peer_set {
    uint64_t bits[PEER_MAX / 64];
};

/* Why a peer is out, whatever has become of its requests; and whether it is a backup. */
enum peer_flag { PEER_IS_BACKUP = 1, PEER_IS_DOWN = 2, PEER_IS_DRAINED = 4, PEER_IS_UNHEALTHY = 8 };
#define PEER_IS_OUT (PEER_IS_DOWN | PEER_IS_DRAINED | PEER_IS_UNHEALTHY)

/* The first one that holds. Only who is up is chosen. */
enum peer_state {
    PEER_UP,
    PEER_DOWN,      /* the configuration says so */
    PEER_DRAINED,   /* somebody has ordered it */
    PEER_UNHEALTHY, /* the active check says so */
    PEER_EJECTED,   /* much slower than the others */
    PEER_FAILED,    /* max_fails failures, fail_timeout not over */
    PEER_BUSY,      /* max_conns connections */
    PEER_STATES
};

/* What is chosen by comes first, in one cache line. */
struct peer {
    int64_t current;   /* of the weighted round robin, in parts, as is */
    int64_t effective; /* the weight, less what failures have taken */
    int64_t checked_s; /* when a failure, or a choice after one, opened the present window */
    int64_t ejected_until_ms;
    uint32_t flags; /* enum peer_flag */
    uint32_t connections;
    uint32_t max_conns; /* 0: no limit */
    uint32_t max_fails; /* 0: failures take nobody out */
    uint32_t fails;
    uint32_t fail_timeout_s;
    uint32_t weight; /* 1 at least; as configured, not in parts */
    uint32_t incarnation;
    int64_t slow_since_ms; /* when it came back; 0: long ago */
    int64_t slow_start_ms; /* 0: its weight is whole at once */
    int64_t accessed_s;    /* of the last failure */
    int64_t latency_us;    /* smoothed */
    uint64_t samples;      /* that the latency is made of */
    uint64_t requests;     /* how often it was chosen */
    uint64_t failures;
    int64_t error_ms; /* when the last failure was; 0: there was none */
};

static inline bool peer_set_has(const struct peer_set *set, unsigned i)
{
    return (set->bits[i % PEER_MAX / 64] >> i % 64 & 1) != 0;
}

static inline void peer_set_add(struct peer_set *set, unsigned i)
{
    set->bits[i % PEER_MAX / 64] |= UINT64_C(1) << i % 64;
}

/* Sum and difference; those of nonsense wrap around. */
static inline int64_t peer_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t peer_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/*
 * Take over what the configuration says. Seconds count as whole ones, rounded
 * up. Another weight begins its turns anew; what failed stays failed.
 */
void peer_configure(struct peer *peer, const struct conf_server *server, int64_t now_ms);

/* Forget how it did, but not its connections and sums: it is another one, at the same address. */
void peer_forget(struct peer *peer);

/* It is there again, or new: its weight grows from nothing, if it has a slow start. */
void peer_return(struct peer *peer, int64_t now_ms);

/*
 * Whether it may be chosen, or why not. One that is `alone`, the only one of its
 * upstream and without a backup, is never out for failures or latency.
 */
enum peer_state peer_state(const struct peer *peer, bool alone, int64_t now_ms);

/* Whether its state is PEER_UP; at once for one that nothing has happened to. */
static inline bool peer_is_up(const struct peer *peer, bool alone, int64_t now_ms)
{
    if (((peer->flags & PEER_IS_OUT) | peer->fails | peer->max_conns) == 0 &&
        peer->ejected_until_ms == 0)
        return true;
    return peer_state(peer, alone, now_ms) == PEER_UP;
}

/* "up", "down", "drained", "unhealthy", "ejected", "failed", "busy". */
const char *peer_state_name(enum peer_state state);

/* What slow start has made of the weight of one that came back: 1 part at least. */
int64_t peer_ramp(const struct peer *peer, int64_t now_ms);

/* The configured weight in parts, or as much of it as slow start has come to. */
static inline int64_t peer_weight(const struct peer *peer, int64_t now_ms)
{
    if (peer->slow_since_ms != 0)
        return peer_ramp(peer, now_ms);
    return (int64_t)peer->weight * PEER_SCALE;
}

/* The same for the weighted round robin: less what failures have taken; may be 0. */
static inline int64_t peer_step(const struct peer *peer, int64_t now_ms)
{
    int64_t most = INT64_MAX;

    if (peer->slow_since_ms != 0)
        most = peer_ramp(peer, now_ms);
    return peer->effective < most ? peer->effective : most;
}

/* What choices and successes mean for one that has failures: see the next two. */
void peer_probe(struct peer *peer, int64_t now_ms);
void peer_forgive(struct peer *peer, int64_t now_ms);

/*
 * It was chosen. When fail_timeout is over, this one choice opens a window of that
 * length again; without failures windows mean nothing.
 */
static inline void peer_chosen(struct peer *peer, int64_t now_ms)
{
    peer->requests++;
    if (peer->fails != 0)
        peer_probe(peer, now_ms);
}

/* What became of its request. Of one that is alone failures are only noted. */
static inline void peer_succeeded(struct peer *peer, int64_t now_ms)
{
    if (peer->fails != 0)
        peer_forgive(peer, now_ms);
}
void peer_failed(struct peer *peer, bool alone, int64_t now_ms);

/* An answer's head took so long: the newest one counts for an eighth. */
void peer_learn_latency(struct peer *peer, int64_t latency_us);

/* Leave it out for fail_timeout, and measure anew: nothing of the past may eject it again. */
void peer_eject(struct peer *peer, int64_t now_ms);

/* What the active check says. One that becomes healthy has no failures any more. */
void peer_set_health(struct peer *peer, bool is_healthy, int64_t now_ms);

/* Drained by order, or no longer. */
void peer_set_drained(struct peer *peer, bool is_drained, int64_t now_ms);

#endif
