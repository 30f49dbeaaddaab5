/* The end. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/table.h"

/* Room for describe_toll(). */
#define TOLL_SIZE 128

static const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

/* What the stop has cost; with nothing to tell, the text is empty. */
static void describe_toll(const struct toll *toll, char text[TOLL_SIZE])
{
    int len = 0;
    text[0] = '\0';
    if (toll->killed > 0)
        len = snprintf(text, TOLL_SIZE, "; %u %s killed, not finished in time", toll->killed,
                       plural(toll->killed, "worker was", "workers were"));
    if (toll->connections > 0)
        snprintf(text + len, TOLL_SIZE - (size_t)len, "%s %" PRIu64 " %s cut", len > 0 ? "," : ";",
                 toll->connections,
                 plural(toll->connections, "connection was", "connections were"));
}

static enum operation_state conclude_stop(struct operation *operation)
{
    const struct toll *toll = &operation->master->toll;
    char text[TOLL_SIZE];
    describe_toll(toll, text);
    return operation_succeed(operation,
                             json_pack("{s:I, s:I}", "killed", (json_int_t)toll->killed,
                                       "connections", (json_int_t)toll->connections),
                             "stopped%s", text);
}

/* Ends with commands_conclude(), when the instance does; `mark` is how many children there were. */
static enum operation_state go_on_stopping(struct operation *operation, int64_t now_ms)
{
    unsigned total = (unsigned)operation->mark, alive = table_count_alive(operation->master);
    (void)now_ms;
    operation_progress(operation, total > alive ? total - alive : 0, total,
                       "%u of %u children have left", total > alive ? total - alive : 0, total);
    return OPERATION_GOES_ON;
}

static enum operation_state begin_stopping(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    operation->mark = table_count_alive(master);
    master->wants |= operation->arguments.fast         ? WANT_STOP_FAST
                     : master->phase < MASTER_STOPPING ? WANT_STOP
                                                       : 0;
    log_info("a %sstop is ordered by zombiectl", operation->arguments.fast ? "fast " : "");
    return go_on_stopping(operation, now_ms);
}

const struct command command_stop = {
    .name = "stop",
    .arguments = " fast ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_AT_ONCE,
    .begin = begin_stopping,
    .go_on = go_on_stopping,
    .conclude = conclude_stop,
};
