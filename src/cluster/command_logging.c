/* What is logged, and into which file. */
#include "config.h"

#include "base/log_line.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/reload.h"
#include "cluster/reopen.h"
#include "cluster/table.h"

static enum operation_state reopen(struct operation *operation, int64_t now_ms)
{
    (void)now_ms;
    if (reload_moves_log(operation->master))
        return operation_fail(operation, CONTROL_REFUSED,
                              "a reload that moves the log is under way");
    reopen_logs(operation->master);
    return operation_succeed(operation, NULL, "the logs were opened again, the log has details");
}

static enum operation_state set_level(struct operation *operation, int64_t now_ms)
{
    int64_t level = operation->arguments.level;
    (void)now_ms;
    if (level < 0)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT, "log-level needs a level");
    table_set_log_level(operation->master, (enum log_level)level);
    return operation_succeed(operation, NULL, "the log is at level %s until the next reload",
                             log_level_name((enum log_level)level));
}

const struct command command_reopen_logs = {
    .name = "reopen-logs",
    .arguments = "",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_AT_ONCE,
    .begin = reopen,
};

const struct command command_log_level = {
    .name = "log-level",
    .arguments = " level ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_AT_ONCE,
    .begin = set_level,
};
