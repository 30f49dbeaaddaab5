#include "config.h"

#include "cluster/obituary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/log.h"
#include "cluster/master_state.h"

#define MAX_FIELDS 20

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

void obituary_cause(const struct obituary *obituary, char cause[MASTER_CAUSE_SIZE])
{
    int status = obituary->wait_status;
    if (WIFEXITED(status)) {
        snprintf(cause, MASTER_CAUSE_SIZE, "exited with status %d", WEXITSTATUS(status));
        return;
    }
    const char *name = sigabbrev_np(WTERMSIG(status));
    snprintf(cause, MASTER_CAUSE_SIZE, "killed by SIG%s%s%s", name != NULL ? name : "?",
             WCOREDUMP(status) ? ", core dumped" : "", obituary->oom ? ", out of memory" : "");
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
    case VERDICT_SUCCEEDED:
        return "replaced already";
    case VERDICT_GONE:
        break;
    }
    return "not replaced, the instance stops";
}

static void add_cause(struct fields *fields, const struct obituary *obituary)
{
    int status = obituary->wait_status;
    if (WIFEXITED(status)) {
        add_number(fields, "exit_status", WEXITSTATUS(status));
    } else {
        add_number(fields, "signal", WTERMSIG(status));
        add_text(fields, "core", WCOREDUMP(status) ? "yes" : "no");
        add_text(fields, "oom", obituary->oom ? "yes" : "no");
    }
    if (obituary->slot->killed_for != NULL)
        add_text(fields, "killed_for", obituary->slot->killed_for);
}

static int64_t milliseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_usec / 1000;
}

static void add_usage(struct fields *fields, const struct rusage *usage)
{
    add_number(fields, "max_rss_kb", usage->ru_maxrss);
    add_number(fields, "user_ms", milliseconds(&usage->ru_utime));
    add_number(fields, "system_ms", milliseconds(&usage->ru_stime));
}

static void add_work(struct fields *fields, const struct scoreboard_work *work, int64_t now_ms)
{
    add_number(fields, "requests", (int64_t)work->requests);
    add_number(fields, "connections", (int64_t)work->connections);
    if (work->since_ms <= 0 || work->since_ms > now_ms)
        return; /* none in flight, or a worker wrote nonsense */
    add_text(fields, "method", work->method);
    add_text(fields, "path", work->path);
    add_number(fields, "elapsed_ms", now_ms - work->since_ms);
}

void obituary_log(const struct obituary *obituary, int64_t now_ms)
{
    const struct slot *slot = obituary->slot;
    struct fields fields = {.n = 0};
    bool meant =
        slot->deliberate || (obituary->verdict == VERDICT_GONE && obituary->wait_status == 0);
    char cause[MASTER_CAUSE_SIZE], next[MASTER_CAUSE_SIZE];
    add_text(&fields, "child_role", "worker");
    add_number(&fields, "slot", slot->number);
    add_number(&fields, "worker", (int64_t)slot->worker);
    add_number(&fields, "pid", slot->pid);
    add_number(&fields, "uptime_ms", now_ms - slot->started_ms);
    add_cause(&fields, obituary);
    add_usage(&fields, obituary->usage);
    add_work(&fields, &obituary->work, now_ms);
    add_text(&fields, "deliberate", meant ? "yes" : "no");
    add_text(&fields, "next", describe_next(obituary, next));
    obituary_cause(obituary, cause);
    log_write(meant ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, fields.items, fields.n,
              "worker %" PRIu64 " died: %s", slot->worker, cause);
}
