#include "config.h"

#include "admin/metrics_upstreams.h"

#include "admin/metrics_text.h"
#include "proxy/balancer.h"

enum family {
    FAMILY_REQUESTS,
    FAMILY_FAILURES,
    FAMILY_CONNECTIONS,
    FAMILY_LATENCY,
    FAMILY_UP,
    FAMILY_STATE,
    FAMILIES
};

static const struct {
    const char *name;
    enum metrics_kind kind;
    const char *help;
} families[FAMILIES] = {
    [FAMILY_REQUESTS] = {"zombie_upstream_requests_total", METRICS_COUNTER,
                         "How often the server was chosen, tries included."},
    [FAMILY_FAILURES] = {"zombie_upstream_failures_total", METRICS_COUNTER,
                         "How often it failed then."},
    [FAMILY_CONNECTIONS] = {"zombie_upstream_connections", METRICS_GAUGE,
                            "Connections in use to the server, from all workers."},
    [FAMILY_LATENCY] = {"zombie_upstream_latency_seconds", METRICS_GAUGE,
                        "From the choice to the head of the answer, smoothed."},
    [FAMILY_UP] = {"zombie_upstream_up", METRICS_GAUGE, "Whether the server may be chosen."},
    [FAMILY_STATE] = {"zombie_upstream_state", METRICS_GAUGE,
                      "The state of the server: 1 for that, 0 for the rest."},
};

/* Samples of one name stand together, so each family is written aside. */
struct report {
    struct bytes samples[FAMILIES];
};

static void add(struct report *report, enum family family, const struct metrics_label *labels,
                uint64_t value)
{
    metrics_number(&report->samples[family], families[family].name, labels, value);
}

static void report_states(struct report *report, const struct metrics_label *labels,
                          enum peer_state state)
{
    for (unsigned i = 0; i < PEER_STATES; i++) {
        const struct metrics_label more[] = {labels[0],
                                             labels[1],
                                             labels[2],
                                             {"state", peer_state_name((enum peer_state)i)},
                                             {NULL, NULL}};
        add(report, FAMILY_STATE, more, state == i);
    }
}

static void report_peer(struct report *report, const char *title, const struct balancer_view *view)
{
    const struct metrics_label labels[] = {
        {"upstream", title}, {"server", view->server}, {"address", view->name}, {NULL, NULL}};
    add(report, FAMILY_REQUESTS, labels, view->requests);
    add(report, FAMILY_FAILURES, labels, view->failures);
    add(report, FAMILY_CONNECTIONS, labels, view->connections);
    if (view->latency_us > 0)
        metrics_seconds(&report->samples[FAMILY_LATENCY], families[FAMILY_LATENCY].name, labels,
                        (uint64_t)view->latency_us);
    add(report, FAMILY_UP, labels, view->state == PEER_UP);
    report_states(report, labels, view->state);
}

static void end_family(struct report *report, enum family family, struct bytes *out)
{
    struct bytes *samples = &report->samples[family];
    if (samples->len > 0) {
        metrics_family(out, families[family].name, families[family].kind, families[family].help);
        bytes_add(out, samples->at, samples->len);
    }
    out->failed |= samples->failed;
    bytes_free(samples);
}

void metrics_upstreams(struct balancer *balancer, int64_t now_ms, struct bytes *out)
{
    static struct balancer_view views[BALANCER_PEERS];
    char title[BALANCER_TITLE_SIZE];
    struct report report = {.samples = {{.at = NULL}}};
    for (size_t i = 0; i < BALANCER_UPSTREAMS; i++) {
        struct balancer_upstream *upstream = balancer_at(balancer, i);
        if (upstream == NULL)
            continue;
        balancer_title(upstream, title);
        size_t n = balancer_list(upstream, now_ms, views, BALANCER_PEERS);
        for (size_t k = 0; k < n; k++)
            report_peer(&report, title, &views[k]);
    }
    for (unsigned family = 0; family < FAMILIES; family++)
        end_family(&report, (enum family)family, out);
}
