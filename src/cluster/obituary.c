#include "config.h"

#include "cluster/obituary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/log.h"
#include "cluster/chronicle.h"
#include "cluster/kill.h"
#include "cluster/role.h"
#include "cluster/table.h"
#include "ipc/scoreboard.h"

#define MAX_FIELDS 28

struct fields {
    struct log_field items[MAX_FIELDS];
    size_t n;
};

static void add_number(struct fields *fields, const char *key, int64_t number)
{
    fields->items[fields->n++] = (struct log_field)LOG_NUMBER(key, number);
}

static void add_text(struct fields *fields, const char *key, const char *text)
{
    fields->items[fields->n++] = (struct log_field)LOG_TEXT(key, text);
}

static int64_t milliseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void copy_text(char *target, const char *text, size_t size)
{
    size_t len = strnlen(text, size - 1);
    memcpy(target, text, len);
    target[len] = '\0';
}

/* What the worker wrote of itself; one that went mad may have written anything. */
static void compose_work(const struct scoreboard_work *work, int64_t now_ms, struct death *death)
{
    bool has_beaten = work->heartbeat_ms > 0 && work->heartbeat_ms <= now_ms;
    bool in_flight = work->since_ms > 0 && work->since_ms <= now_ms;
    death->requests = work->requests;
    death->connections = work->connections;
    death->heartbeat_age_ms = has_beaten ? now_ms - work->heartbeat_ms : -1;
    death->elapsed_ms = in_flight ? now_ms - work->since_ms : -1;
    if (!in_flight)
        return;
    copy_text(death->method, work->method, sizeof death->method);
    copy_text(death->path, work->path, sizeof death->path);
    copy_text(death->client, work->client, sizeof death->client);
}

void obituary_compose(const struct slot *slot, int wait_status, const struct rusage *usage,
                      int64_t now_ms, struct death *ret_death)
{
    struct scoreboard_work work;
    struct death death = {
        .when_ms = now_ms,
        .worker = slot->worker,
        .slot = slot->number,
        .generation = slot->generation,
        .pid = slot->pid,
        .uptime_ms = now_ms - slot->started_ms,
        .wait_status = wait_status,
        .max_rss_kb = usage->ru_maxrss,
        .user_ms = milliseconds(&usage->ru_utime),
        .system_ms = milliseconds(&usage->ru_stime),
        .deliberate = slot->deliberate,
    };
    scoreboard_read_work(slot_board(slot), &work);
    compose_work(&work, now_ms, &death);
    if (slot->killed_for != NULL)
        copy_text(death.killed_for, slot->killed_for, sizeof death.killed_for);
    *ret_death = death;
}

void obituary_cause(const struct death *death, char cause[MASTER_CAUSE_SIZE])
{
    int status = (int)death->wait_status;
    char name[KILL_SIGNAL_SIZE];
    if (WIFEXITED(status)) {
        snprintf(cause, MASTER_CAUSE_SIZE, "exited with status %d", WEXITSTATUS(status));
        return;
    }
    kill_signal_name(WTERMSIG(status), name);
    snprintf(cause, MASTER_CAUSE_SIZE, "killed by %s%s%s", name,
             WCOREDUMP(status) ? ", core dumped" : "", death->oom ? ", out of memory" : "");
}

static const char *describe_next(const struct obituary *obituary, char buf[MASTER_CAUSE_SIZE])
{
    switch (obituary->verdict) {
    case VERDICT_REPLACED:
        return "replaced at once";
    case VERDICT_BACKOFF:
        snprintf(buf, MASTER_CAUSE_SIZE, "replaced in %" PRId64 " ms", obituary->wait_ms);
        return buf;
    case VERDICT_HELD:
        return "not replaced before its configuration changes";
    case VERDICT_DRAINED:
        return "not replaced before its slot is restarted, fewer workers are wanted, or a reload";
    case VERDICT_SUCCEEDED:
        return "replaced already";
    case VERDICT_SPARED:
        return "not replaced, fewer workers are wanted";
    case VERDICT_GIVEN_UP:
        return "its generation is given up";
    case VERDICT_POSTPONED:
        snprintf(buf, MASTER_CAUSE_SIZE, "recycling is tried again in %" PRId64 " ms",
                 obituary->wait_ms);
        return buf;
    case VERDICT_GONE:
        break;
    }
    return "not replaced, the instance stops";
}

/* name is room that must last as long as the fields. */
static void add_cause(struct fields *fields, const struct death *death, char name[KILL_SIGNAL_SIZE])
{
    int status = (int)death->wait_status;
    if (WIFEXITED(status)) {
        add_number(fields, "exit_status", WEXITSTATUS(status));
    } else {
        kill_signal_name(WTERMSIG(status), name);
        add_text(fields, "signal", name);
        add_text(fields, "core", WCOREDUMP(status) ? "yes" : "no");
        add_text(fields, "oom", death->oom ? "yes" : "no");
    }
    if (death->killed_for[0] != '\0')
        add_text(fields, "killed_for", death->killed_for);
}

static void add_work(struct fields *fields, const struct death *death)
{
    add_number(fields, "requests", (int64_t)death->requests);
    add_number(fields, "connections", (int64_t)death->connections);
    if (death->heartbeat_age_ms >= 0)
        add_number(fields, "heartbeat_age_ms", death->heartbeat_age_ms);
    if (death->elapsed_ms < 0)
        return; /* none in flight */
    add_text(fields, "method", death->method);
    add_text(fields, "path", death->path);
    add_text(fields, "client", death->client);
    add_number(fields, "elapsed_ms", death->elapsed_ms);
}

static void log_poison(const struct obituary *obituary)
{
    const struct death *death = &obituary->death;
    const struct log_field fields[] = {
        LOG_TEXT("method", death->method),
        LOG_TEXT("path", death->path),
        LOG_TEXT("client", death->client),
        LOG_NUMBER("deaths", obituary->poison),
    };
    log_write(LOG_LEVEL_ERROR, fields, sizeof fields / sizeof fields[0],
              "poison request: workers keep dying in it");
}

void obituary_chronicle(const struct obituary *obituary, const struct slot *slot)
{
    const struct death *death = &obituary->death;
    char cause[MASTER_CAUSE_SIZE], next[MASTER_CAUSE_SIZE];
    obituary_cause(death, cause);
    bool has_reason = death->killed_for[0] != '\0';
    chronicle(slot->master, JOURNAL_DEATH, slot, "%s%s%s, %s", cause, has_reason ? ": " : "",
              death->killed_for, describe_next(obituary, next));
    if (obituary->poison > 0)
        chronicle(slot->master, JOURNAL_POISON, slot, "%s %s", death->method, death->path);
}

void obituary_log(const struct obituary *obituary)
{
    const struct death *death = &obituary->death;
    struct fields fields = {.n = 0};
    bool meant =
        death->deliberate || (obituary->verdict == VERDICT_GONE && death->wait_status == 0);
    char cause[MASTER_CAUSE_SIZE], next[MASTER_CAUSE_SIZE], signal_name[KILL_SIGNAL_SIZE];
    const char *role = role_name(role_of(death->slot));
    add_text(&fields, "child_role", role);
    if (role_of(death->slot) == ROLE_WORKER)
        add_number(&fields, "slot", death->slot);
    add_number(&fields, "worker", (int64_t)death->worker);
    add_number(&fields, "pid", death->pid);
    add_number(&fields, "generation", death->generation);
    add_number(&fields, "uptime_ms", death->uptime_ms);
    add_cause(&fields, death, signal_name);
    add_number(&fields, "max_rss_kb", death->max_rss_kb);
    add_number(&fields, "user_ms", death->user_ms);
    add_number(&fields, "system_ms", death->system_ms);
    add_work(&fields, death);
    add_text(&fields, "deliberate", meant ? "yes" : "no");
    add_text(&fields, "next", describe_next(obituary, next));
    obituary_cause(death, cause);
    log_write(meant ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, fields.items, fields.n,
              "%s %" PRIu64 " died: %s", role, death->worker, cause);
    if (obituary->poison > 0)
        log_poison(obituary);
}
