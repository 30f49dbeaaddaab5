/* A signal for a child. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "cluster/command_slot.h"
#include "cluster/commands.h"
#include "cluster/kill.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "conf/conf.h"

/* How long a worker that was sent SIGKILL may take until its successor serves. */
#define KILL_MS 5000

static bool is_alive(const struct master *master, uint64_t worker)
{
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].worker == worker && slot_is_alive(master->slots[i].state))
            return true;
    return false;
}

/* Its slot is held back, or not on the roll any more. */
static bool is_to_stay_empty(const struct operation *operation)
{
    const struct slot *holder = table_holder(operation->master, operation->arguments.slot);
    return !command_slot_is_known(operation) || (holder != NULL && holder->held);
}

/* `mark` is the worker. */
static enum operation_state go_on_killing(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    unsigned number = operation->arguments.slot;
    const struct slot *holder = table_holder(master, number);
    if (holder != NULL && holder->worker > operation->mark && holder->state == SLOT_SERVING)
        return operation_succeed(
            operation, NULL, "%s %" PRIu64 " is dead, %" PRIu64 " serves %.1f ms after the signal",
            role_name(slot_role(holder)), operation->mark, holder->worker,
            (double)(clock_now_us() - operation->began_us) / 1000);
    if (is_to_stay_empty(operation) && !is_alive(master, operation->mark))
        return operation_succeed(operation, NULL, "%s %" PRIu64 " is dead, its slot stays empty",
                                 role_name(role_of(operation->arguments.slot)), operation->mark);
    if (now_ms < operation->deadline_ms)
        return OPERATION_GOES_ON;
    return operation_fail(operation, CONTROL_FAILED, "nobody serves in its place after %d ms",
                          KILL_MS);
}

static bool is_permitted(const struct operation *operation)
{
    return operation->arguments.chaos ? operation->master->conf->chaos.enabled
                                      : !operation->by_admin;
}

static enum operation_state send_signal(struct operation *operation, struct slot *holder,
                                        int64_t now_ms)
{
    int64_t number = operation->arguments.signal;
    char name[KILL_SIGNAL_SIZE];
    kill_signal_name((int)number, name);
    operation->mark = holder->worker;
    if (kill_as_ordered(holder, (int)number, operation->arguments.chaos, now_ms) != 0)
        return operation_fail(operation, CONTROL_FAILED, "cannot send the signal: %s",
                              strerror(errno));
    if (number != SIGKILL)
        return operation_succeed(operation, NULL, "sent %s to %s %" PRIu64 ", process %d", name,
                                 role_name(slot_role(holder)), holder->worker, (int)holder->pid);
    operation->deadline_ms = now_ms + KILL_MS;
    return OPERATION_GOES_ON;
}

static enum operation_state begin_killing(struct operation *operation, int64_t now_ms)
{
    struct slot *holder = table_holder(operation->master, operation->arguments.slot);
    if (!is_permitted(operation))
        return operation_fail(operation, CONTROL_NOT_ALLOWED,
                              "that is chaos, which is switched off (chaos.enabled)");
    if (!command_slot_is_known(operation))
        return command_slot_refuse(operation);
    if (holder == NULL || !slot_is_alive(holder->state))
        return operation_fail(operation, CONTROL_REFUSED, "no process lives there now");
    return send_signal(operation, holder, now_ms);
}

const struct command command_kill = {
    .name = "kill",
    .arguments = " slot signal chaos ",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_WHILE_RUNNING,
    .begin = begin_killing,
    .go_on = go_on_killing,
};
