#include "config.h"

#include "proxy/choice.h"

#include <netinet/in.h>
#include <string.h>

/* So often ip_hash draws again before it takes turns. */
#define HASH_TRIES 20

/* A run of the order: the primary peers, or the backups. */
struct run {
    const uint8_t *order;
    size_t n;
};

/* Peers to draw from. */
struct candidates {
    uint8_t at[PEER_MAX];
    size_t n;
};

bool choice_is_single(const struct choice *choice)
{
    return choice->n_primary == 1 && choice->n == 1;
}

static inline bool may_take(const struct choice *choice, unsigned i)
{
    return !peer_set_has(choice->tried, i) &&
           peer_is_up(&choice->peers[i], choice_is_single(choice), choice->now_ms);
}

/* Each gains its weight; who has most is chosen and pays for all. */
static int take_turns(const struct choice *choice, struct run run)
{
    struct peer *best = NULL;
    int64_t total = 0;

    for (size_t k = 0; k < run.n; k++) {
        struct peer *peer = &choice->peers[run.order[k]];
        int64_t step;

        if (!may_take(choice, run.order[k]))
            continue;
        step = peer_step(peer, choice->now_ms);
        peer->current = peer_sum(peer->current, step);
        total = peer_sum(total, step);
        if (peer->effective < (int64_t)peer->weight * PEER_SCALE)
            peer->effective = peer_sum(peer->effective, PEER_SCALE);
        if (best == NULL || peer->current > best->current)
            best = peer;
    }
    if (best == NULL)
        return -1;
    best->current = peer_difference(best->current, total);
    return (int)(best - choice->peers);
}

/* Below, at or above 0 as a has fewer, as many or more connections for its weight than b. */
static int compare_load(const struct choice *choice, unsigned a, unsigned b)
{
    const struct peer *left = &choice->peers[a];
    const struct peer *right = &choice->peers[b];
    uint64_t of_left = left->connections * (uint64_t)peer_weight(right, choice->now_ms);
    uint64_t of_right = right->connections * (uint64_t)peer_weight(left, choice->now_ms);

    return (of_left > of_right) - (of_left < of_right);
}

static int take_least_conn(const struct choice *choice, struct run run)
{
    uint8_t least[PEER_MAX];
    size_t n = 0;

    for (size_t k = 0; k < run.n; k++) {
        int order;

        if (!may_take(choice, run.order[k]))
            continue;
        order = n == 0 ? 0 : compare_load(choice, run.order[k], least[0]);
        if (order < 0)
            n = 0;
        if (order <= 0)
            least[n++] = run.order[k];
    }
    return n == 1 ? least[0] : take_turns(choice, (struct run){least, n});
}

/* xorshift64* */
static uint64_t draw(uint64_t *random)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * UINT64_C(0x2545f4914f6cdd1d);
}

static void gather(const struct choice *choice, struct run run, struct candidates *ret_candidates)
{
    size_t n = 0;

    for (size_t k = 0; k < run.n; k++)
        if (may_take(choice, run.order[k]))
            ret_candidates->at[n++] = run.order[k];
    ret_candidates->n = n;
}

static uint64_t weight_at(const struct choice *choice, const struct candidates *candidates,
                          size_t k)
{
    return (uint64_t)peer_weight(&choice->peers[candidates->at[k]], choice->now_ms);
}

/* Draw one by weight and take it out; there is at least one. */
static uint8_t draw_one(const struct choice *choice, struct candidates *candidates)
{
    uint64_t total = weight_at(choice, candidates, 0);
    uint64_t rest;
    size_t k = 0;
    uint8_t drawn;

    for (size_t i = 1; i < candidates->n; i++)
        total += weight_at(choice, candidates, i);
    rest = total > 0 ? draw(choice->random) % total : 0;
    while (k + 1 < candidates->n && rest >= weight_at(choice, candidates, k))
        rest -= weight_at(choice, candidates, k++);
    drawn = candidates->at[k];
    candidates->at[k] = candidates->at[--candidates->n];
    return drawn;
}

static int take_random_two(const struct choice *choice, struct run run)
{
    struct candidates candidates;
    uint8_t first;
    uint8_t second;

    gather(choice, run, &candidates);
    if (candidates.n == 0)
        return -1;
    first = draw_one(choice, &candidates);
    if (candidates.n == 0)
        return first;
    second = draw_one(choice, &candidates);
    return compare_load(choice, second, first) < 0 ? second : first;
}

/* The bytes of an address that are hashed: a network of IPv4, or all of IPv6. */
static size_t hashed_bytes(const struct address *client, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    if (client != NULL && client->storage.ss_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)&client->storage)->sin6_addr, 16);
        return 16;
    }
    if (client != NULL && client->storage.ss_family == AF_INET)
        memcpy(bytes, &((const struct sockaddr_in *)&client->storage)->sin_addr, 3);
    return 3;
}

static unsigned find_by_weight(const struct choice *choice, struct run run, uint64_t rest)
{
    size_t k = 0;

    while (k + 1 < run.n && rest >= choice->peers[run.order[k]].weight)
        rest -= choice->peers[run.order[k++]].weight;
    return run.order[k];
}

static unsigned count_tried(const struct peer_set *tried)
{
    unsigned n = 0;

    for (size_t i = 0; i < PEER_MAX / 64; i++)
        n += (unsigned)__builtin_popcountll(tried->bits[i]);
    return n;
}

/* Drawing starts over for each try of a request: the peers tried before cost no draw. */
static int take_by_hash(const struct choice *choice, struct run run)
{
    unsigned draws = HASH_TRIES + count_tried(choice->tried);
    uint64_t total = 0;
    unsigned hash = 89;
    uint8_t bytes[16];
    size_t n_bytes = hashed_bytes(choice->client, bytes);

    for (size_t k = 0; k < run.n; k++)
        total += choice->peers[run.order[k]].weight;
    for (unsigned i = 0; total > 0 && i <= draws; i++) {
        unsigned drawn;

        for (size_t k = 0; k < n_bytes; k++)
            hash = (hash * 113 + bytes[k]) % 6271;
        drawn = find_by_weight(choice, run, hash % total);
        if (may_take(choice, drawn))
            return (int)drawn;
    }
    return -1;
}

static int take(const struct choice *choice, struct run run)
{
    int taken = -1;

    if (choice->balance == CONF_BALANCE_LEAST_CONN)
        return take_least_conn(choice, run);
    if (choice->balance == CONF_BALANCE_RANDOM_TWO)
        return take_random_two(choice, run);
    if (choice->balance == CONF_BALANCE_IP_HASH && !choice_is_single(choice))
        taken = take_by_hash(choice, run);
    return taken >= 0 ? taken : take_turns(choice, run);
}

int choice_make(const struct choice *choice)
{
    size_t n_backups = choice->n - choice->n_primary;
    int taken = take(choice, (struct run){choice->order, choice->n_primary});

    if (taken < 0 && n_backups > 0)
        taken = take(choice, (struct run){choice->order + choice->n_primary, n_backups});
    if (taken >= 0)
        peer_chosen(&choice->peers[taken], choice->now_ms);
    return taken;
}

bool choice_is_outlier(const struct choice *choice, unsigned i, unsigned times)
{
    const struct peer *peer = &choice->peers[i];
    size_t n_kind = 0, n_ejected = 1, n_others = 0, n_faster = 0;

    if (peer->samples < PEER_LATENCY_SAMPLES)
        return false;
    for (size_t k = 0; k < choice->n; k++) {
        const struct peer *other = &choice->peers[choice->order[k]];
        enum peer_state state = peer_state(other, false, choice->now_ms);

        if (((other->flags ^ peer->flags) & PEER_IS_BACKUP) != 0)
            continue;
        n_kind++;
        n_ejected += state == PEER_EJECTED;
        if (other == peer || other->samples < PEER_LATENCY_SAMPLES ||
            (state != PEER_UP && state != PEER_BUSY))
            continue;
        n_others++;
        n_faster += (uint64_t)other->latency_us * times < (uint64_t)peer->latency_us;
    }
    return n_faster * 2 > n_others && n_ejected * 2 <= n_kind;
}
