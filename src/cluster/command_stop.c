/* The end. */
#include "config.h"

#include "base/log.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/table.h"

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
};
