/*
 * Upstreams and servers come and go: with the configuration, by what names
 * stand for, by order, by active checks.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "conf/upstream.h"
#include "proxy/balancer_members.h"
#include "proxy/balancer_state.h"

/* The servers that an upstream is to have. */
struct draft_servers {
    struct server servers[PEER_MAX];
    uint32_t n;
};

/* Which of them an old server has become, by index; NO_SERVER: none. */
struct moves {
    uint8_t to[PEER_MAX];
};

static void retire_others(struct balancer *balancer, const struct conf *conf)
{
    for (size_t i = 0; i < BALANCER_UPSTREAMS; i++) {
        struct balancer_upstream *upstream = balancer_at(balancer, i);
        char title[BALANCER_TITLE_SIZE];

        if (upstream == NULL)
            continue;
        balancer_title(upstream, title);
        if (conf_upstream_find(conf, title) != NULL)
            continue;
        upstream->shared->retired = ++balancer->board->retired;
        atomic_store(&upstream->shared->state, UPSTREAM_RETIRED);
    }
}

static struct balancer_upstream *find_titled(struct balancer *balancer, const char *title)
{
    unsigned n = balancer_n_upstreams(balancer);

    for (size_t i = 0; i < n; i++)
        if (is_text(balancer->upstreams[i].shared->title, title))
            return &balancer->upstreams[i];
    return NULL;
}

/* Returns one that was never used, or NULL. */
static struct balancer_upstream *make_place(struct balancer *balancer)
{
    unsigned n = balancer_n_upstreams(balancer);
    struct balancer_upstream *upstream = &balancer->upstreams[n % BALANCER_UPSTREAMS];
    struct shared_upstream *shared = upstream->shared;

    if (n == BALANCER_UPSTREAMS)
        return NULL;
    if (getrandom(&shared->random, sizeof(shared->random), GRND_NONBLOCK) < 0)
        shared->random = n;
    shared->random |= 1;
    atomic_store(&balancer->board->n_upstreams, n + 1);
    return upstream;
}

/* With the lock. */
static bool is_idle(const struct shared_upstream *shared)
{
    unsigned n_peers = balancer_n_peers(shared);

    for (unsigned i = 0; i < n_peers; i++)
        if (shared->peers[i].connections > 0)
            return false;
    return true;
}

/* Take the place of one that nobody uses: after this, who has found it chooses nobody there. */
static bool empty_place(struct balancer_upstream *upstream)
{
    bool is_empty;

    if (balancer_try_lock(upstream) != 0)
        return false;
    is_empty = is_idle(upstream->shared);
    if (is_empty) {
        atomic_store(&upstream->shared->state, UPSTREAM_FREE);
        atomic_fetch_add(&upstream->shared->incarnation, 1);
        members_clear(upstream->shared);
    }
    balancer_unlock(upstream);
    return is_empty;
}

/* Of those that are not in the configuration the one that left it first, if it is idle. */
static struct balancer_upstream *take_place(struct balancer *balancer)
{
    struct balancer_upstream *oldest = NULL;

    for (size_t i = 0; i < BALANCER_UPSTREAMS; i++) {
        struct balancer_upstream *upstream = &balancer->upstreams[i];

        if (atomic_load(&upstream->shared->state) != UPSTREAM_LIVE &&
            (oldest == NULL || upstream->shared->retired < oldest->shared->retired))
            oldest = upstream;
    }
    return oldest != NULL && empty_place(oldest) ? oldest : NULL;
}

static struct balancer_upstream *place_for(struct balancer *balancer, const char *title)
{
    struct balancer_upstream *upstream = find_titled(balancer, title);

    if (upstream != NULL)
        return upstream;
    upstream = make_place(balancer);
    if (upstream == NULL)
        upstream = take_place(balancer);
    if (upstream != NULL)
        memcpy(upstream->shared->title, title, strlen(title) + 1);
    return upstream;
}

/* Several servers may have one title: the first becomes the first, and so on. */
static void find_moves(const struct shared_upstream *shared, const struct draft_servers *draft,
                       struct moves *ret_moves)
{
    unsigned n_servers = balancer_n_servers(shared);
    struct peer_set taken = {{0}};

    memset(ret_moves->to, NO_SERVER, sizeof(ret_moves->to));
    for (unsigned i = 0; i < n_servers; i++)
        for (unsigned k = 0; k < draft->n && ret_moves->to[i] == NO_SERVER; k++) {
            if (peer_set_has(&taken, k) ||
                !is_text(shared->servers[i].title, draft->servers[k].title))
                continue;
            ret_moves->to[i] = (uint8_t)k;
            peer_set_add(&taken, k);
        }
}

static void move_members(struct shared_upstream *shared, const struct moves *moves)
{
    unsigned n_peers = balancer_n_peers(shared);

    for (unsigned i = 0; i < n_peers; i++) {
        uint8_t server = balancer_server_of(&shared->members[i]);

        shared->members[i].server = server == NO_SERVER ? NO_SERVER : moves->to[server];
    }
}

/* Numbers are as large as the configuration lets them be, and fit. */
static void add_server(struct draft_servers *draft, const struct conf_server *conf, uint32_t flags)
{
    struct server *server = &draft->servers[draft->n++];

    *server = (struct server){.weight = (uint32_t)conf->weight,
                              .max_fails = (uint32_t)conf->max_fails,
                              .fail_timeout_ms = (uint32_t)conf->fail_timeout_ms,
                              .max_conns = (uint32_t)conf->max_conns,
                              .slow_start_ms = (uint32_t)conf->slow_start_ms,
                              .address = conf->address};
    memcpy(server->title, conf->title, strlen(conf->title) + 1);
    server->flags = (conf->is_name ? SERVER_IS_NAME : 0) | (conf->backup ? SERVER_IS_BACKUP : 0) |
                    (conf->down ? SERVER_IS_DOWN : 0) | flags;
}

static bool has_title(const struct draft_servers *draft, const char *title)
{
    for (unsigned k = 0; k < draft->n; k++)
        if (is_text(draft->servers[k].title, title))
            return true;
    return false;
}

/* What there is already: those that a registry has named and nobody else, or the others. */
static int keep_servers(struct draft_servers *draft, const struct shared_upstream *shared,
                        bool are_found)
{
    unsigned n_servers = balancer_n_servers(shared);

    for (unsigned i = 0; i < n_servers; i++) {
        struct server server = shared->servers[i];

        server.title[sizeof(server.title) - 1] = '\0';
        if (((server.flags & SERVER_IS_FOUND) != 0) != are_found ||
            (are_found && has_title(draft, server.title)))
            continue;
        if (draft->n == PEER_MAX)
            return -ENOSPC;
        draft->servers[draft->n++] = server;
    }
    return 0;
}

/* Who stays, stays drained. */
static void set_servers(struct shared_upstream *shared, struct draft_servers *draft)
{
    unsigned n_servers = balancer_n_servers(shared);
    struct moves moves;

    find_moves(shared, draft, &moves);
    move_members(shared, &moves);
    for (unsigned i = 0; i < n_servers; i++)
        if (moves.to[i] != NO_SERVER)
            draft->servers[moves.to[i]].flags |= shared->servers[i].flags & SERVER_IS_DRAINED;
    memcpy(shared->servers, draft->servers, draft->n * sizeof(draft->servers[0]));
    shared->n_servers = draft->n;
}

static int check(const struct conf_upstream *conf)
{
    if (strlen(conf->title) >= BALANCER_TITLE_SIZE)
        return -ENAMETOOLONG;
    if (conf->n_servers > PEER_MAX)
        return -ENOSPC;
    for (size_t i = 0; i < conf->n_servers; i++)
        if (strlen(conf->servers[i].title) >= BALANCER_TITLE_SIZE)
            return -ENAMETOOLONG;
    return 0;
}

static int apply_one(struct balancer *balancer, const struct conf_upstream *conf, int64_t now_ms)
{
    static struct draft_servers draft;
    struct balancer_upstream *upstream;
    struct shared_upstream *shared;
    int of_found = 0, err = check(conf);

    if (err != 0)
        return err;
    upstream = place_for(balancer, conf->title);
    if (upstream == NULL)
        return -ENOSPC;
    if (balancer_try_lock(upstream) != 0)
        return -EAGAIN;
    shared = upstream->shared;
    shared->balance = conf->balance;
    shared->eject_latency = (uint32_t)conf->eject_latency;
    draft.n = 0;
    for (size_t k = 0; k < conf->n_servers; k++)
        add_server(&draft, &conf->servers[k], 0);
    if (conf->from_registry)
        of_found = keep_servers(&draft, shared, true);
    set_servers(shared, &draft);
    err = members_renew(shared, &(struct answer){.title = NULL}, now_ms);
    balancer_unlock(upstream);
    atomic_store(&shared->state, UPSTREAM_LIVE);
    return err != 0 ? err : of_found;
}

int balancer_apply(struct balancer *balancer, const struct conf *conf, int64_t now_ms)
{
    int err = 0;

    retire_others(balancer, conf);
    for (size_t i = 0; i < conf->n_upstreams; i++) {
        int of_one = apply_one(balancer, &conf->upstreams[i], now_ms);

        if (err == 0 || of_one == -EAGAIN)
            err = of_one;
    }
    return err;
}

/* Returns how many fit. */
static size_t add_found(struct draft_servers *draft, const struct conf_server *found, size_t n)
{
    size_t i = 0;

    for (; i < n && draft->n < PEER_MAX; i++)
        if (strlen(found[i].title) < BALANCER_TITLE_SIZE && !has_title(draft, found[i].title))
            add_server(draft, &found[i], SERVER_IS_FOUND);
    return i;
}

int balancer_set_found(struct balancer_upstream *upstream, const struct conf_server *found,
                       size_t n, int64_t now_ms)
{
    static struct draft_servers draft;
    struct shared_upstream *shared = upstream->shared;
    int err = -ENOENT;

    if (balancer_lock(upstream) != 0)
        return -EAGAIN;
    if (get_relaxed(shared->incarnation) == upstream->incarnation) {
        draft.n = 0;
        err = keep_servers(&draft, shared, false);
        if (add_found(&draft, found, n) < n)
            err = -ENOSPC;
        set_servers(shared, &draft);
        int of_members = members_renew(shared, &(struct answer){.title = NULL}, now_ms);
        err = err != 0 ? err : of_members;
    }
    balancer_unlock(upstream);
    return err;
}

static bool has_name(const struct shared_upstream *shared, const char *title)
{
    unsigned n_servers = balancer_n_servers(shared);

    for (unsigned i = 0; i < n_servers; i++)
        if ((shared->servers[i].flags & SERVER_IS_NAME) != 0 &&
            is_text(shared->servers[i].title, title))
            return true;
    return false;
}

int balancer_resolve(struct balancer_upstream *upstream, const char *server_title,
                     const struct address *addresses, size_t n, int64_t now_ms)
{
    struct shared_upstream *shared = upstream->shared;
    struct answer answer = {server_title, addresses, n};
    int err = -ENOENT;

    if (balancer_lock(upstream) != 0)
        return -EAGAIN;
    if (get_relaxed(shared->incarnation) == upstream->incarnation && has_name(shared, server_title))
        err = members_renew(shared, &answer, now_ms);
    balancer_unlock(upstream);
    return err;
}

static bool drain_servers(struct shared_upstream *shared, const char *title, bool is_drained)
{
    unsigned n_servers = balancer_n_servers(shared);
    bool is_found = false;

    for (unsigned i = 0; i < n_servers; i++) {
        struct server *server = &shared->servers[i];

        if (!is_text(server->title, title))
            continue;
        server->flags = is_drained ? server->flags | SERVER_IS_DRAINED
                                   : server->flags & ~(uint32_t)SERVER_IS_DRAINED;
        is_found = true;
    }
    return is_found;
}

static bool is_called(const struct shared_upstream *shared, const struct member *member,
                      const char *server_or_name)
{
    uint8_t server = balancer_server_of(member);

    return is_text(member->name, server_or_name) ||
           (server != NO_SERVER && is_text(shared->servers[server].title, server_or_name));
}

int balancer_set_drained(struct balancer_upstream *upstream, const char *server, bool is_drained,
                         int64_t now_ms)
{
    struct shared_upstream *shared = upstream->shared;
    struct order order;
    bool is_found;

    if (balancer_try_lock(upstream) != 0)
        return -EAGAIN;
    balancer_order(shared, &order);
    is_found = drain_servers(shared, server, is_drained);
    for (unsigned k = 0; k < order.n; k++) {
        if (!is_called(shared, &shared->members[order.at[k]], server))
            continue;
        peer_set_drained(&shared->peers[order.at[k]], is_drained, now_ms);
        is_found = true;
    }
    balancer_unlock(upstream);
    return is_found ? 0 : -ENOENT;
}

static bool is_member(const struct shared_upstream *shared, unsigned peer)
{
    struct order order;

    balancer_order(shared, &order);
    for (unsigned k = 0; k < order.n; k++)
        if (order.at[k] == peer)
            return true;
    return false;
}

int balancer_set_health(struct balancer_upstream *upstream, unsigned peer, uint32_t incarnation,
                        bool is_healthy, int64_t now_ms)
{
    struct shared_upstream *shared = upstream->shared;
    int err = -ENOENT;

    if (balancer_lock(upstream) != 0)
        return -EAGAIN;
    if (is_member(shared, peer) && shared->peers[peer].incarnation == incarnation) {
        peer_set_health(&shared->peers[peer], is_healthy, now_ms);
        err = 0;
    }
    balancer_unlock(upstream);
    return err;
}
