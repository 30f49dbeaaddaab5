#include "config.h"

#include "proxy/balancer_members.h"

#include <errno.h>
#include <string.h>

/* What is being made. */
struct draft {
    struct shared_upstream *shared;
    int64_t now_ms;
    struct order old;
    struct peer_set before; /* members so far: those of the old order */
    struct peer_set taken;  /* in the new order */
    struct order order;
    int err;
};

/* Addresses by text, so that the order is the same whatever order an answer has. */
struct sorted {
    const struct address *addresses[PEER_MAX];
    char names[PEER_MAX][ADDRESS_TEXT_SIZE];
    size_t n;
};

static bool is_free(const struct draft *draft, unsigned i)
{
    return !peer_set_has(&draft->before, i) && !peer_set_has(&draft->taken, i);
}

static bool is_named(const struct draft *draft, unsigned i, const char *name)
{
    return is_text(draft->shared->members[i].name, name);
}

/* Returns the member of this server and address, or -1. */
static int find_member(const struct draft *draft, uint8_t server, const char *name)
{
    unsigned n_peers = balancer_n_peers(draft->shared);

    for (unsigned i = 0; i < n_peers; i++)
        if (peer_set_has(&draft->before, i) && !peer_set_has(&draft->taken, i) &&
            draft->shared->members[i].server == server && is_named(draft, i, name))
            return (int)i;
    return -1;
}

/* Returns who was a member at this address, or -1. */
static int find_former(const struct draft *draft, const char *name)
{
    unsigned n_peers = balancer_n_peers(draft->shared);

    for (unsigned i = 0; i < n_peers; i++)
        if (is_free(draft, i) && is_named(draft, i, name))
            return (int)i;
    return -1;
}

/* Returns an index that nobody has, or -1. New ones first: who left may come back. */
static int find_unused(struct draft *draft)
{
    struct shared_upstream *shared = draft->shared;
    unsigned i = 0;
    unsigned n_peers = balancer_n_peers(shared);

    if (n_peers < PEER_MAX) {
        i = n_peers;
        shared->n_peers = n_peers + 1;
    } else {
        while (i < PEER_MAX && (!is_free(draft, i) || shared->peers[i].connections > 0))
            i++;
        if (i == PEER_MAX)
            return -1;
    }
    shared->peers[i] = (struct peer){.incarnation = ++shared->last_incarnation};
    return (int)i;
}

/* What peer_configure() wants to know. */
static struct conf_server rule_of(const struct server *server)
{
    uint32_t flags = read_once(server->flags);

    return (struct conf_server){
        .weight = server->weight,
        .max_fails = server->max_fails,
        .fail_timeout_ms = server->fail_timeout_ms,
        .max_conns = server->max_conns,
        .slow_start_ms = server->slow_start_ms,
        .backup = (flags & SERVER_IS_BACKUP) != 0,
        .down = (flags & SERVER_IS_DOWN) != 0,
    };
}

/* Put it into the new order, once, with what its server says. */
static void enter(struct draft *draft, unsigned i, uint8_t server)
{
    struct conf_server rule = rule_of(&draft->shared->servers[server]);

    if (peer_set_has(&draft->taken, i))
        return;
    peer_configure(&draft->shared->peers[i], &rule, draft->now_ms);
    peer_set_add(&draft->taken, i);
    draft->order.at[draft->order.n++] = (uint8_t)i;
}

/* A member that was none so far. Where others carry the load, it may start slowly. */
static void join(struct draft *draft, unsigned i, uint8_t server, const struct address *address,
                 const char *name)
{
    struct peer *peer = &draft->shared->peers[i];
    struct member *member = &draft->shared->members[i];

    member->server = server;
    member->address = *address;
    memcpy(member->name, name, sizeof(member->name));
    peer_forget(peer);
    enter(draft, i, server);
    if ((draft->shared->servers[server].flags & SERVER_IS_DRAINED) != 0)
        peer_set_drained(peer, true, draft->now_ms);
    if (draft->old.n > 0)
        peer_return(peer, draft->now_ms);
}

static void admit(struct draft *draft, uint8_t server, const struct address *address,
                  const char *name)
{
    int i = find_member(draft, server, name);

    if (i >= 0) {
        enter(draft, (unsigned)i, server);
        return;
    }
    i = find_former(draft, name);
    if (i < 0)
        i = find_unused(draft);
    if (i < 0)
        draft->err = -ENOSPC;
    else
        join(draft, (unsigned)i, server, address, name);
}

static void admit_address(struct draft *draft, uint8_t server)
{
    struct address address = balancer_address(&draft->shared->servers[server].address);
    char name[ADDRESS_TEXT_SIZE] = "";

    address_format(&address, name);
    admit(draft, server, &address, name);
}

static void keep_addresses(struct draft *draft, uint8_t server)
{
    for (unsigned k = 0; k < draft->old.n; k++)
        if (draft->shared->members[draft->old.at[k]].server == server)
            enter(draft, draft->old.at[k], server);
}

/* Returns whether there was room for it, or need. */
static bool sort_in(struct sorted *sorted, const struct address *address)
{
    char name[ADDRESS_TEXT_SIZE] = "";
    size_t k = 0;

    address_format(address, name);
    while (k < sorted->n && strcmp(sorted->names[k], name) < 0)
        k++;
    if (k < sorted->n && strcmp(sorted->names[k], name) == 0)
        return true;
    if (sorted->n == PEER_MAX)
        return false;
    memmove(&sorted->addresses[k + 1], &sorted->addresses[k],
            (sorted->n - k) * sizeof(sorted->addresses[0]));
    memmove(sorted->names[k + 1], sorted->names[k], (sorted->n - k) * ADDRESS_TEXT_SIZE);
    sorted->addresses[k] = address;
    memcpy(sorted->names[k], name, sizeof(name));
    sorted->n++;
    return true;
}

static void admit_answer(struct draft *draft, uint8_t server, const struct answer *answer)
{
    struct sorted sorted = {.n = 0};

    for (size_t k = 0; k < answer->n; k++)
        if (!sort_in(&sorted, &answer->addresses[k]))
            draft->err = -ENOSPC;
    for (size_t k = 0; k < sorted.n; k++)
        admit(draft, server, sorted.addresses[k], sorted.names[k]);
}

static void admit_servers(struct draft *draft, bool are_backups, const struct answer *answer)
{
    const struct shared_upstream *shared = draft->shared;
    unsigned n_servers = balancer_n_servers(shared);

    for (unsigned i = 0; i < n_servers; i++) {
        const struct server *server = &shared->servers[i];
        uint32_t flags = read_once(server->flags);

        if (((flags & SERVER_IS_BACKUP) != 0) != are_backups)
            continue;
        if ((flags & SERVER_IS_NAME) == 0)
            admit_address(draft, (uint8_t)i);
        else if (answer->title != NULL && is_text(server->title, answer->title))
            admit_answer(draft, (uint8_t)i, answer);
        else
            keep_addresses(draft, (uint8_t)i);
    }
}

/* Who dies on the way leaves the order as it was. */
static void put_in_place(struct draft *draft)
{
    uint32_t other = (atomic_load(&draft->shared->present) & 1) ^ 1;

    draft->shared->orders[other] = draft->order;
    atomic_store(&draft->shared->present, other);
}

int members_renew(struct shared_upstream *shared, const struct answer *answer, int64_t now_ms)
{
    struct draft draft = {.shared = shared, .now_ms = now_ms};

    balancer_order(shared, &draft.old);
    for (unsigned k = 0; k < draft.old.n; k++)
        peer_set_add(&draft.before, draft.old.at[k]);
    admit_servers(&draft, false, answer);
    draft.order.n_primary = draft.order.n;
    admit_servers(&draft, true, answer);
    put_in_place(&draft);
    return draft.err;
}

void members_clear(struct shared_upstream *shared)
{
    unsigned n_peers = balancer_n_peers(shared);

    shared->orders[0].n = shared->orders[0].n_primary = 0;
    shared->orders[1].n = shared->orders[1].n_primary = 0;
    for (unsigned i = 0; i < n_peers; i++)
        shared->members[i].name[0] = '\0';
    shared->n_servers = 0;
}
