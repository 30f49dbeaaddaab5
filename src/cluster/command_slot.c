#include "config.h"

#include "cluster/command_slot.h"

#include "cluster/master_state.h"
#include "cluster/role.h"
#include "cluster/table.h"

bool command_slot_is_known(const struct operation *operation)
{
    const struct roll roll = roll_make(operation->master->conf, operation->master->workers);
    return roll_has(&roll, operation->arguments.slot);
}

/* Those who left their slots for the pause may still have something to finish. */
static enum operation_state refuse_in_pause(struct operation *operation)
{
    unsigned leavers = table_count_workers(operation->master);
    if (leavers == 0)
        return operation_fail(operation, CONTROL_REFUSED,
                              "the instance is paused: no slot has a worker; reload or scale ends "
                              "it");
    return operation_fail(operation, CONTROL_REFUSED,
                          "the instance is paused: %u worker%s, and no slot gets another one; "
                          "reload or scale ends it",
                          leavers, leavers == 1 ? " still finishes" : "s still finish");
}

enum operation_state command_slot_refuse(struct operation *operation)
{
    const struct master *master = operation->master;
    unsigned number = operation->arguments.slot;
    if (number == 0)
        return operation_fail(operation, CONTROL_BAD_ARGUMENT, "%s needs a slot",
                              operation->command->name);
    if (role_of(number) != ROLE_WORKER)
        return operation_fail(operation, CONTROL_UNKNOWN_SLOT, "there is no %s child: %s",
                              role_name(role_of(number)), role_absence(role_of(number)));
    if (master->workers == 0)
        return refuse_in_pause(operation);
    return operation_fail(operation, CONTROL_UNKNOWN_SLOT, "there is no slot %u: there are 1 to %u",
                          number, master->workers);
}
