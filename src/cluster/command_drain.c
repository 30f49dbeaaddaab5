/* A slot that is to stay empty. */
#include "config.h"

#include <inttypes.h>

#include "cluster/command_slot.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/sharing.h"
#include "cluster/succession.h"
#include "cluster/table.h"

/* `mark` is the worker. */
static enum operation_state go_on_draining(struct operation *operation, int64_t now_ms)
{
    struct slot *holder = table_holder(operation->master, operation->arguments.slot);
    (void)now_ms;
    operation_progress(operation, 0, 1, "worker %" PRIu64 " finishes", operation->mark);
    if (holder != NULL && holder->worker == operation->mark && slot_is_alive(holder->state))
        return OPERATION_GOES_ON;
    return operation_succeed(operation, NULL,
                             "slot %u is empty until it is restarted, fewer workers are wanted, or "
                             "the configuration is reloaded",
                             operation->arguments.slot);
}

/* Those that leave, or are about to because fewer are wanted, do not count. */
static bool others_serve(struct master *master, unsigned number)
{
    for (unsigned other = 1; other <= master->workers; other++) {
        const struct slot *holder = table_holder(master, other);
        if (other != number && holder != NULL && holder->state == SLOT_SERVING && !holder->held)
            return true;
    }
    return false;
}

static enum operation_state begin_draining(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    struct slot *holder = table_holder(master, operation->arguments.slot);
    if (!command_slot_is_known(operation))
        return command_slot_refuse(operation);
    if (role_of(operation->arguments.slot) != ROLE_WORKER)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT, "only workers can be drained");
    if (holder == NULL || holder->state != SLOT_SERVING)
        return operation_fail(operation, CONTROL_REFUSED, "no worker serves in slot %u",
                              operation->arguments.slot);
    if (!others_serve(master, holder->number))
        return operation_fail(operation, CONTROL_REFUSED,
                              "worker %" PRIu64 " is the only one that serves: scale up first, or "
                              "stop",
                              holder->worker);
    operation->mark = holder->worker;
    succession_drain(holder, now_ms);
    sharing_change(master);
    return go_on_draining(operation, now_ms);
}

const struct command command_drain = {
    .name = "drain",
    .arguments = " slot ",
    .clients = COMMAND_FOR_OPERATORS,
    .patience = COMMAND_WITHOUT_CHANGES,
    .begin = begin_draining,
    .go_on = go_on_draining,
};
