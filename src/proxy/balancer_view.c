#include "config.h"

#include <string.h>

#include "proxy/balancer_state.h"

void balancer_title(const struct balancer_upstream *upstream, char title[BALANCER_TITLE_SIZE])
{
    balancer_copy_text(title, upstream->shared->title, BALANCER_TITLE_SIZE);
}

enum conf_balance balancer_method(const struct balancer_upstream *upstream)
{
    int32_t balance = read_once(upstream->shared->balance);

    return balance >= CONF_BALANCE_ROUND_ROBIN && balance <= CONF_BALANCE_RANDOM_TWO
               ? (enum conf_balance)balance
               : CONF_BALANCE_ROUND_ROBIN;
}

uint64_t balancer_repairs(const struct balancer_upstream *upstream)
{
    return get_relaxed(upstream->shared->repairs);
}

static void view_one(const struct shared_upstream *shared, unsigned i, bool alone, int64_t now_ms,
                     struct balancer_view *ret_view)
{
    const struct peer *peer = &shared->peers[i];
    const struct member *member = &shared->members[i];
    uint8_t server = balancer_server_of(member);

    *ret_view = (struct balancer_view){
        .peer = i,
        .incarnation = peer->incarnation,
        .address = balancer_address(&member->address),
        .state = peer_state(peer, alone, now_ms),
        .is_backup = (peer->flags & PEER_IS_BACKUP) != 0,
        .is_drained = (peer->flags & PEER_IS_DRAINED) != 0,
        .weight = peer->weight,
        .fails = peer->fails,
        .connections = peer->connections,
        .requests = peer->requests,
        .failures = peer->failures,
        .latency_us = peer->latency_us,
        .error_ms = peer->error_ms,
    };
    balancer_copy_text(ret_view->name, member->name, sizeof(ret_view->name));
    if (server == NO_SERVER)
        return;
    ret_view->is_found = (read_once(shared->servers[server].flags) & SERVER_IS_FOUND) != 0;
    balancer_copy_text(ret_view->server, shared->servers[server].title, sizeof(ret_view->server));
}

size_t balancer_list(struct balancer_upstream *upstream, int64_t now_ms,
                     struct balancer_view *ret_views, size_t n)
{
    struct shared_upstream *shared = upstream->shared;
    bool is_locked = balancer_try_lock(upstream) == 0;
    struct order order;
    bool alone;

    balancer_order(shared, &order);
    alone = order.n == 1 && order.n_primary == 1;
    if (n > order.n)
        n = order.n;
    for (size_t k = 0; k < n; k++)
        view_one(shared, order.at[k], alone, now_ms, &ret_views[k]);
    if (is_locked)
        balancer_unlock(upstream);
    return n;
}
