#include "config.h"

#include "cluster/status.h"

#include <stdio.h>
#include <unistd.h>

#include <uuid/uuid.h>

#include "base/clock.h"
#include "cluster/generation.h"
#include "cluster/listener.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/reload.h"
#include "cluster/status_process.h"
#include "cluster/status_registry.h"
#include "cluster/status_upstream.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "control/text.h"

enum scoreboard_condition status_condition(const struct master *master)
{
    if (master->phase != MASTER_RUNNING)
        return SCOREBOARD_STOPPING;
    if (master->degraded)
        return SCOREBOARD_DEGRADED;
    if (master->workers == 0)
        return SCOREBOARD_PAUSED;
    if (!master->ready)
        return SCOREBOARD_STARTING;
    return reload_is_active(master) ? SCOREBOARD_RELOADING : SCOREBOARD_SERVING;
}

static json_t *list_urls(const struct listeners *listeners)
{
    const struct listener *listener;
    json_t *urls = json_array();
    for (size_t i = 0; (listener = listeners_at(listeners, i)) != NULL; i++) {
        char url[LISTENER_URL_SIZE];
        listener_url(listener, url);
        json_array_append_new(urls, control_text(url));
    }
    return urls;
}

static json_t *find_admin_url(const struct master *master)
{
    const struct listener *listener = listeners_at(master->current->listeners[PURPOSE_ADMIN], 0);
    char url[LISTENER_URL_SIZE];
    if (listener == NULL)
        return json_null();
    listener_url(listener, url);
    return control_text(url);
}

static json_t *describe_master(struct master *master, int64_t now_ms)
{
    struct sample *sample = &master->sample;
    sample_look(sample, master->pid, master->started_ms, now_ms);
    return json_pack("{s:o, s:o, s:o}", "cpu_percent", status_figure(sample->cpu_percent),
                     "pss_bytes", status_number(sample->pss_bytes), "rss_bytes",
                     status_number(sample->rss_bytes));
}

/* Of all workers that ever were; the places keep what the dead have counted. */
struct totals {
    uint64_t requests;
    uint64_t connections;
    uint64_t accepted;
    uint64_t received;
    uint64_t sent;
};

static void add_traffic(struct totals *totals, const struct slot *slot)
{
    struct scoreboard_traffic traffic;
    struct scoreboard_work work;
    scoreboard_read_traffic(slot_board(slot), &traffic);
    totals->requests += scoreboard_answers(&traffic);
    totals->accepted += traffic.accepted;
    totals->received += traffic.received;
    totals->sent += traffic.sent;
    if (!slot_is_alive(slot->state) || slot_role(slot) != ROLE_WORKER)
        return;
    scoreboard_read_work(slot_board(slot), &work);
    totals->connections += work.connections;
}

static uint64_t count_deaths(const struct scoreboard *scoreboard)
{
    uint64_t n = 0;
    for (int count = SCOREBOARD_DEATHS_RETIRED; count <= SCOREBOARD_DEATHS_KILLED; count++)
        n += scoreboard_read_count(scoreboard, (enum scoreboard_count)count);
    return n;
}

static json_t *describe_totals(const struct master *master)
{
    struct totals totals = {.requests = 0};
    for (size_t i = 0; i < master->n_slots; i++)
        add_traffic(&totals, &master->slots[i]);
    return json_pack(
        "{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t)totals.requests,
        "requests_per_second", status_figure(master->sample.requests_per_second), "connections",
        (json_int_t)totals.connections, "accepted", (json_int_t)totals.accepted, "received_bytes",
        (json_int_t)totals.received, "sent_bytes", (json_int_t)totals.sent, "respawns",
        (json_int_t)scoreboard_respawns(master->scoreboard), "deaths",
        (json_int_t)count_deaths(master->scoreboard), "retired",
        (json_int_t)scoreboard_read_count(master->scoreboard, SCOREBOARD_DEATHS_RETIRED));
}

static json_t *describe_instance(const struct master *master, int64_t now_ms)
{
    char uuid[UUID_STR_LEN], hostname[256] = "";
    int64_t uptime_ms = now_ms - master->started_ms;
    uuid_unparse_lower(master->uuid, uuid);
    (void)gethostname(hostname, sizeof hostname - 1);
    return json_pack(
        "{s:s, s:s, s:i, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "version", PACKAGE_VERSION,
        "instance", uuid, "pid", (int)master->pid, "hostname", control_text(hostname), "state",
        scoreboard_condition_name(status_condition(master)), "started",
        control_time(clock_wall_ms() - uptime_ms), "uptime_ms", (json_int_t)uptime_ms, "generation",
        (json_int_t)master->current->number, "upgrades", (json_int_t)master->upgrades, "workers",
        (json_int_t)master->workers, "max_workers", (json_int_t)master->conf->instance.max_workers,
        "chaos", (int)master->conf->chaos.enabled);
}

static json_t *describe_last_reload(const struct master *master)
{
    const struct outcome *outcome = &master->reloaded;
    if (outcome->number == 0)
        return json_null();
    return json_pack("{s:b, s:o, s:o, s:I}", "ok", (int)outcome->succeeded, "text",
                     control_text(outcome->text), "time", control_time(outcome->wall_ms),
                     "generation", (json_int_t)outcome->generation);
}

json_t *status_json(struct master *master, int64_t now_ms)
{
    json_t *status = describe_instance(master, now_ms);
    json_t *rest = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "last_reload", describe_last_reload(master),
        "listeners", list_urls(master->current->listeners[PURPOSE_CLIENTS]), "admin",
        find_admin_url(master), "master", describe_master(master, now_ms), "totals",
        describe_totals(master), "registry", status_registry(master, now_ms), "upstreams",
        status_upstreams(master, now_ms), "processes", status_processes(master, now_ms));
    if (status == NULL || rest == NULL || json_object_update(status, rest) != 0) {
        json_decref(status);
        status = NULL;
    }
    json_decref(rest);
    return status;
}
