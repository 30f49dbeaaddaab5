#include "config.h"

#include "cluster/status_process.h"

#include <stdio.h>
#include <stdlib.h>

#include "cluster/generation.h"
#include "cluster/master_state.h"
#include "cluster/obituary.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "control/text.h"

json_t *status_number(int64_t value)
{
    return value >= 0 ? json_integer(value) : json_null();
}

json_t *status_figure(double value)
{
    return value >= 0 ? json_real((double)(int64_t)(value * 100 + 0.5) / 100) : json_null();
}

/* now_ms is that of the turn, in the course of which something may have begun. */
static int64_t elapsed(int64_t since_ms, int64_t now_ms)
{
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

static json_t *describe_request(const struct scoreboard_work *work, int64_t now_ms)
{
    if (work->since_ms <= 0 || work->since_ms > now_ms)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:I}", "method", control_text(work->method), "path",
                     control_text(work->path), "client", control_text(work->client), "elapsed_ms",
                     (json_int_t)(now_ms - work->since_ms));
}

static json_t *describe_last_death(const struct scoreboard_tally *tally, int64_t now_ms)
{
    const struct death death = {.wait_status = tally->exit_status,
                                .oom = tally->exit_kind == SCOREBOARD_DEATHS_OOM};
    const char *kind = scoreboard_death_name((enum scoreboard_count)tally->exit_kind);
    char cause[MASTER_CAUSE_SIZE];
    if (tally->exit_worker == 0)
        return json_null();
    obituary_cause(&death, cause);
    if (tally->exit_kind == SCOREBOARD_DEATHS_HANG)
        snprintf(cause, sizeof cause, "%s", MASTER_HANGS);
    return json_pack("{s:I, s:s, s:s, s:I}", "worker", (json_int_t)tally->exit_worker, "cause",
                     cause, "kind", kind != NULL ? kind : "?", "ago_ms",
                     (json_int_t)elapsed(tally->exit_ms, now_ms));
}

static const char *describe_state(const struct slot *slot)
{
    bool is_empty = slot->state == SLOT_EMPTY;
    return is_empty && slot->held ? "held" : slot_state_name(slot->state);
}

/* What holds with and without a process. */
static json_t *describe_slot(const struct slot *slot, int64_t now_ms)
{
    bool is_worker = slot_role(slot) == ROLE_WORKER;
    struct scoreboard_tally tally;
    scoreboard_read_tally(slot->master->scoreboard, slot->number, &tally);
    return json_pack("{s:s, s:o, s:o, s:s, s:b, s:b, s:I, s:I, s:o}", "role",
                     role_name(slot_role(slot)), "slot",
                     is_worker ? json_integer(slot->number) : json_null(), "worker",
                     slot->worker != 0 ? json_integer((json_int_t)slot->worker) : json_null(),
                     "state", describe_state(slot), "candidate", (int)slot->candidate, "leaving",
                     (int)slot->leaving, "generation", (json_int_t)slot->generation, "respawns",
                     (json_int_t)tally.respawns, "last_death", describe_last_death(&tally, now_ms));
}

static json_t *describe_life(struct slot *slot, int64_t now_ms)
{
    struct scoreboard_work work;
    struct sample *sample = &slot->sample;
    sample_look(sample, slot->pid, slot->started_ms, now_ms);
    scoreboard_read_work(slot_board(slot), &work);
    bool has_beaten = work.heartbeat_ms > 0 && work.heartbeat_ms <= now_ms;
    return json_pack(
        "{s:i, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o}", "pid", (int)slot->pid, "uptime_ms",
        (json_int_t)elapsed(slot->started_ms, now_ms), "requests", (json_int_t)work.requests,
        "requests_per_second", status_figure(sample->requests_per_second), "connections",
        (json_int_t)work.connections, "cpu_percent", status_figure(sample->cpu_percent),
        "pss_bytes", status_number(sample->pss_bytes), "heartbeat_age_ms",
        has_beaten ? json_integer(now_ms - work.heartbeat_ms) : json_null(), "request",
        describe_request(&work, now_ms));
}

static json_t *describe_void(void)
{
    return json_pack("{s:n, s:n, s:i, s:f, s:i, s:n, s:n, s:n, s:n}", "pid", "uptime_ms",
                     "requests", 0, "requests_per_second", 0.0, "connections", 0, "cpu_percent",
                     "pss_bytes", "heartbeat_age_ms", "request");
}

static json_t *describe(struct slot *slot, int64_t now_ms)
{
    json_t *process = describe_slot(slot, now_ms);
    json_t *life = slot_is_alive(slot->state) ? describe_life(slot, now_ms) : describe_void();
    if (process != NULL && life != NULL)
        json_object_update(process, life);
    json_decref(life);
    return process;
}

/* By number; of one number the holder, then who is to succeed, then who leaves. */
static int rank(const struct slot *slot)
{
    return slot->candidate ? 1 : slot->leaving ? 2 : 0;
}

static int in_order(const void *left, const void *right)
{
    const struct slot *a = *(struct slot *const *)left, *b = *(struct slot *const *)right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    return a->worker < b->worker ? -1 : a->worker > b->worker;
}

json_t *status_processes(struct master *master, int64_t now_ms)
{
    struct slot **sorted = calloc(master->n_slots + 1, sizeof *sorted);
    json_t *processes = json_array();
    size_t n = 0;
    for (size_t i = 0; sorted != NULL && i < master->n_slots; i++)
        if (master->slots[i].number != 0)
            sorted[n++] = &master->slots[i];
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, in_order);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(processes, describe(sorted[i], now_ms));
    free(sorted);
    return processes;
}
