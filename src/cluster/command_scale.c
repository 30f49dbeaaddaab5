/* How many workers there are. */
#include "config.h"

#include <inttypes.h>

#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/strength.h"
#include "cluster/table.h"
#include "conf/conf.h"

/* How many of 1..N serve, and whether others do as well. */
static unsigned count_serving(struct master *master)
{
    unsigned n = 0;
    for (unsigned number = 1; number <= master->workers; number++) {
        const struct slot *holder = table_holder(master, number);
        n += holder != NULL && (holder->state == SLOT_SERVING || holder->held);
    }
    return n;
}

/* `mark` is how many there were, `to` how many there are to be. */
static enum operation_state go_on_scaling(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    unsigned serving = count_serving(master);
    if (master->workers != operation->arguments.to)
        return operation_fail(operation, CONTROL_FAILED, "another order wants %u worker%s now",
                              master->workers, master->workers == 1 ? "" : "s");
    operation_progress(operation, serving, master->workers, "%u of %u workers serve", serving,
                       master->workers);
    if (serving >= master->workers && !strength_has_surplus(master))
        return operation_succeed(operation, NULL, "%u worker%s, %" PRIu64 " before",
                                 master->workers, master->workers == 1 ? " serves" : "s serve",
                                 operation->mark);
    if (now_ms < operation->deadline_ms)
        return OPERATION_GOES_ON;
    return operation_fail(
        operation, CONTROL_FAILED, "only %u of %u workers serve (the last death: %s)", serving,
        master->workers, master->last_death[0] != '\0' ? master->last_death : "none");
}

static enum operation_state begin_scaling(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    const struct command_arguments *arguments = &operation->arguments;
    const struct conf_instance *instance = &master->conf->instance;
    if (arguments->has_to == arguments->has_by)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT,
                              "scale needs either \"to\" or \"by\"");
    if (arguments->has_by && arguments->by == 0)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT,
                              "scale by 0 changes nothing: \"by\" is so many more, or fewer");
    int64_t wanted = arguments->has_to ? arguments->to : master->workers + arguments->by;
    if (wanted < 1 || wanted > instance->max_workers)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT,
                              "%" PRId64 " workers cannot be: 1 to %ld may (instance.max_workers)",
                              wanted, instance->max_workers);
    operation->mark = master->workers;
    operation->arguments.to = wanted;
    operation->deadline_ms = now_ms + instance->boot_timeout_ms;
    strength_set(master, (unsigned)wanted);
    return go_on_scaling(operation, now_ms);
}

const struct command command_scale = {
    .name = "scale",
    .arguments = " to by ",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_WITHOUT_CHANGES,
    .begin = begin_scaling,
    .go_on = go_on_scaling,
};
