#include "config.h"

#include "cluster/status_upstream.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/master_state.h"
#include "cluster/status_process.h"
#include "conf/conf.h"
#include "control/text.h"
#include "proxy/balancer.h"

/* Names as the configuration has them. */
static const char *const methods[] = {
    [CONF_BALANCE_ROUND_ROBIN] = "round_robin",
    [CONF_BALANCE_LEAST_CONN] = "least_conn",
    [CONF_BALANCE_IP_HASH] = "ip_hash",
    [CONF_BALANCE_RANDOM_TWO] = "random_two",
};

/* The peers of one upstream. */
struct peers {
    struct balancer_view views[BALANCER_PEERS];
    size_t n;
};

static json_t *describe_peer(const struct balancer_view *view, int64_t now_ms)
{
    double latency_ms = view->latency_us > 0 ? (double)view->latency_us / 1000 : -1;
    int64_t ago_ms = now_ms > view->error_ms ? now_ms - view->error_ms : 0;
    json_t *error_ago = view->error_ms > 0 ? json_integer(ago_ms) : json_null();
    return json_pack("{s:o, s:o, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name",
                     control_text(view->server), "address", control_text(view->name), "state",
                     peer_state_name(view->state), "backup", (int)view->is_backup, "weight",
                     (json_int_t)view->weight, "connections", (json_int_t)view->connections,
                     "fails", (json_int_t)view->fails, "requests", (json_int_t)view->requests,
                     "failures", (json_int_t)view->failures, "latency_ms",
                     status_figure(latency_ms), "error_ago_ms", error_ago);
}

/* A name that stands for nothing yet. */
static json_t *describe_name(const struct conf_server *server)
{
    return json_pack("{s:o, s:n, s:s, s:b, s:I, s:i, s:i, s:i, s:i, s:n, s:n}", "name",
                     control_text(server->title), "address", "state", "resolving", "backup",
                     (int)server->backup, "weight", (json_int_t)server->weight, "connections", 0,
                     "fails", 0, "requests", 0, "failures", 0, "latency_ms", "error_ago_ms");
}

/* What a registry has named beside the configuration. */
static void list_found(const struct peers *peers, int64_t now_ms, json_t *servers)
{
    for (size_t i = 0; i < peers->n; i++)
        if (peers->views[i].is_found)
            json_array_append_new(servers, describe_peer(&peers->views[i], now_ms));
}

static json_t *list_servers(const struct conf_upstream *upstream, const struct peers *peers,
                            int64_t now_ms)
{
    json_t *servers = json_array();
    for (size_t i = 0; i < upstream->n_servers; i++) {
        const struct conf_server *server = &upstream->servers[i];
        bool found = false;
        for (size_t j = 0; j < peers->n; j++) {
            if (strcmp(peers->views[j].server, server->title) != 0)
                continue;
            json_array_append_new(servers, describe_peer(&peers->views[j], now_ms));
            found = true;
        }
        if (!found)
            json_array_append_new(servers, describe_name(server));
    }
    list_found(peers, now_ms, servers);
    return servers;
}

json_t *status_upstreams(struct master *master, int64_t now_ms)
{
    static struct peers peers;
    const struct conf *conf = master->conf;
    json_t *upstreams = json_array();
    for (size_t i = 0; i < conf->n_upstreams; i++) {
        const struct conf_upstream *one = &conf->upstreams[i];
        struct balancer_upstream *shared = balancer_find(master->balancer, one->title);
        peers.n = shared != NULL ? balancer_list(shared, now_ms, peers.views, BALANCER_PEERS) : 0;
        json_array_append_new(upstreams,
                              json_pack("{s:o, s:s, s:o}", "title", control_text(one->title),
                                        "balance", methods[one->balance], "servers",
                                        list_servers(one, &peers, now_ms)));
    }
    return upstreams;
}
