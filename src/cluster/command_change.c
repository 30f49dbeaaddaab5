/* Another configuration, or another program. */
#include "config.h"

#include "base/log.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/reload.h"

static enum operation_state conclude(struct operation *operation, const struct outcome *outcome)
{
    if (outcome->succeeded)
        return operation_succeed(operation, NULL, "%s", outcome->text);
    return operation_fail(operation, CONTROL_FAILED, "%s", outcome->text);
}

/* `mark` is which reload of all it is. */
static enum operation_state go_on_reloading(struct operation *operation, int64_t now_ms)
{
    const struct master *master = operation->master;
    unsigned ready, wanted;
    (void)now_ms;
    if (master->reloaded.number >= operation->mark)
        return conclude(operation, &master->reloaded);
    if (reload_is_active(master) && master->reloads >= operation->mark) {
        ready = reload_count_ready(master, &wanted);
        operation_progress(operation, ready, wanted, "%u of %u children of generation %u are ready",
                           ready, wanted, reload_number(master));
    }
    return OPERATION_GOES_ON;
}

/* The same way as a signal goes, so that they come in order and one after the other. */
static enum operation_state begin_reloading(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    operation->mark = master->reloads + 1;
    master->wants |= WANT_RELOAD;
    log_info("a reload is ordered by zombiectl");
    return go_on_reloading(operation, now_ms);
}

/* `mark` is which trial of all it is; when it is passed, the connection ends with the program. */
static enum operation_state go_on_upgrading(struct operation *operation, int64_t now_ms)
{
    const struct master *master = operation->master;
    (void)now_ms;
    if (master->upgraded.number >= operation->mark)
        return conclude(operation, &master->upgraded);
    if (master->trials >= operation->mark)
        operation_progress(operation, 0, 1, "the new program is tried");
    return OPERATION_GOES_ON;
}

static enum operation_state begin_upgrading(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    operation->mark = master->trials + 1;
    master->wants |= WANT_UPGRADE;
    log_info("an upgrade is ordered by zombiectl");
    return go_on_upgrading(operation, now_ms);
}

const struct command command_reload = {
    .name = "reload",
    .arguments = "",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_WHILE_RUNNING,
    .begin = begin_reloading,
    .go_on = go_on_reloading,
};

const struct command command_upgrade = {
    .name = "upgrade",
    .arguments = "",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_WHILE_RUNNING,
    .begin = begin_upgrading,
    .go_on = go_on_upgrading,
};
