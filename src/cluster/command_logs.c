/* The last lines of the log, and those that follow. */
#include "config.h"

#include <inttypes.h>

#include "base/log_ring.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "control/text.h"

static bool is_wanted(const struct operation *operation, const struct log_ring_entry *entry)
{
    uint64_t worker = (uint64_t)operation->arguments.worker;
    if (!operation->arguments.has_worker || entry->id == worker)
        return true;
    return worker != 0 && entry->about == worker;
}

static void send_line(struct operation *operation, const struct log_ring_entry *entry)
{
    json_t *text = control_text(entry->text);
    control_send(operation->request, "log",
                 json_pack("{s:I, s:I, s:o}", "seq", (json_int_t)entry->ticket + 1, "worker",
                           (json_int_t)entry->id, "line", text));
}

/* `mark` is the ticket of the next line; followers wait for one that is being written. */
static enum operation_state send_lines(struct operation *operation, int64_t now_ms)
{
    const struct log_ring *ring = operation->master->log_ring;
    struct log_ring_reader reader = {
        .ticket = operation->mark,
        .patience_ms = operation->arguments.follow ? LOG_RING_PATIENCE_MS : 0,
        .waits_ms = operation->deadline_ms != INT64_MAX ? operation->deadline_ms : 0};
    struct log_ring_entry entry;
    for (int i = 0; i < LOG_RING_LINES && operation->request != NULL; i++) {
        if (log_ring_follow(ring, &reader, now_ms, &entry) != 0)
            break;
        if (is_wanted(operation, &entry))
            send_line(operation, &entry);
    }
    operation->mark = reader.ticket;
    operation->deadline_ms = reader.waits_ms != 0 ? reader.waits_ms : INT64_MAX;
    if (operation->request == NULL)
        return OPERATION_OVER;
    return operation->arguments.follow ? OPERATION_GOES_ON
                                       : operation_succeed(operation, NULL, "%s", "");
}

/* Where to look from: the client has the lines before, unless they were of another ring. */
static uint64_t find_oldest(const struct operation *operation)
{
    const struct log_ring *ring = operation->master->log_ring;
    uint64_t oldest = log_ring_oldest(ring), since = (uint64_t)operation->arguments.since;
    return since > oldest && since <= log_ring_next(ring) ? since : oldest;
}

/* The ticket of the line from which on there are as many as asked for. */
static uint64_t find_first_line(const struct operation *operation, int64_t now_ms)
{
    const struct log_ring *ring = operation->master->log_ring;
    uint64_t tickets[LOG_RING_LINES];
    uint64_t n = 0, lines = (uint64_t)operation->arguments.lines;
    struct log_ring_reader reader = {.ticket = find_oldest(operation)};
    struct log_ring_entry entry;
    while (n < LOG_RING_LINES && log_ring_follow(ring, &reader, now_ms, &entry) == 0)
        if (is_wanted(operation, &entry))
            tickets[n++] = entry.ticket;
    if (lines == 0 || n == 0)
        return log_ring_next(ring);
    return tickets[n > lines ? n - lines : 0];
}

static enum operation_state begin_lines(struct operation *operation, int64_t now_ms)
{
    if (operation->master->log_ring == NULL)
        return operation_fail(operation, CONTROL_FAILED, "there was no memory to keep lines in");
    if ((uint64_t)operation->arguments.worker > operation->master->last_worker)
        return operation_fail(operation, CONTROL_FAILED,
                              "there is no worker %" PRId64 " (the newest is %" PRIu64 ")",
                              operation->arguments.worker, operation->master->last_worker);
    operation->looks = operation->arguments.follow;
    operation->mark = find_first_line(operation, now_ms);
    return send_lines(operation, now_ms);
}

const struct command command_logs = {
    .name = "logs",
    .arguments = " follow since worker lines ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_AT_ONCE,
    .begin = begin_lines,
    .go_on = send_lines,
    .only_tells = true,
};
