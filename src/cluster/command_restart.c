/* Workers anew, one by one, and nobody is missed. */
#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "cluster/command_slot.h"
#include "cluster/commands.h"
#include "cluster/master_state.h"
#include "cluster/sharing.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "conf/conf.h"

/* Room for slot_text(). */
#define SLOT_TEXT_SIZE 24

static const char *slot_text(unsigned number, char buf[SLOT_TEXT_SIZE])
{
    enum role role = role_of(number);
    if (role != ROLE_WORKER)
        return role_name(role);
    snprintf(buf, SLOT_TEXT_SIZE, "slot %u", number);
    return buf;
}

/* Whether the number is to be restarted; its worker may be newer than the order by now. */
static bool is_meant(const struct operation *operation, unsigned number)
{
    return operation->arguments.slot == 0 ? role_of(number) == ROLE_WORKER
                                          : operation->arguments.slot == number;
}

static bool is_renewed(const struct operation *operation, unsigned number)
{
    const struct slot *holder = table_holder(operation->master, number);
    return holder != NULL && holder->worker > operation->mark && holder->state == SLOT_SERVING;
}

/*
 * A slot that is held back is filled again; else a successor is born beside the worker. One that
 * still boots, or is to be born, in place of a dead one is waited for, and then renewed as well.
 */
static void renew(struct operation *operation, unsigned number, int64_t now_ms)
{
    struct master *master = operation->master;
    struct slot *holder = table_holder(master, number);
    if (holder != NULL && holder->held) {
        holder->held = false;
        holder->drained = false;
        holder->leaving = slot_is_alive(holder->state);
        sharing_change(master);
    } else if (holder != NULL && holder->state == SLOT_SERVING) {
        succession_prepare(master, number, now_ms);
    } else {
        return;
    }
    operation->slot = number;
    operation->deadline_ms = now_ms + 2 * master->conf->instance.boot_timeout_ms;
}

/* What is done, what is meant, and which comes next. */
static unsigned count_renewed(const struct operation *operation, unsigned *ret_total,
                              unsigned *ret_next)
{
    const struct roll roll = roll_make(operation->master->conf, operation->master->workers);
    unsigned done = 0, total = 0, next = 0;
    for (unsigned number = 0; (number = roll_next(&roll, number)) != 0;) {
        if (!is_meant(operation, number))
            continue;
        bool is_done = is_renewed(operation, number);
        total++;
        done += is_done;
        if (!is_done && next == 0)
            next = number;
    }
    *ret_total = total;
    *ret_next = next;
    return done;
}

/* Whether the one that boots anew has died of it. */
static bool has_failed(const struct operation *operation)
{
    struct master *master = operation->master;
    const struct slot *holder = table_holder(master, operation->slot);
    bool is_held = holder != NULL && holder->held;
    return is_held || (master->recycle_failures > 0 && !table_has_candidate(master));
}

/* `mark` is the newest worker of before; `slot` the one that boots anew. */
static enum operation_state go_on_restarting(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    char text[SLOT_TEXT_SIZE];
    unsigned total, next, done = count_renewed(operation, &total, &next);
    operation_progress(operation, done, total, "%u of %u restarted", done, total);
    if (next == 0)
        return operation_succeed(operation, NULL, "%u restarted", done);
    if (operation->slot == next && has_failed(operation))
        return operation_fail(operation, CONTROL_FAILED,
                              "the successor in %s did not become ready (%s); %u of %u restarted",
                              slot_text(next, text),
                              role_of(next) == ROLE_WORKER ? master->last_death : "see the log",
                              done, total);
    if (now_ms >= operation->deadline_ms)
        return operation_fail(operation, CONTROL_FAILED, "%s took too long; %u of %u restarted",
                              slot_text(next, text), done, total);
    if (operation->slot != next && !table_has_candidate(master))
        renew(operation, next, now_ms);
    return OPERATION_GOES_ON;
}

static enum operation_state begin_restarting(struct operation *operation, int64_t now_ms)
{
    struct master *master = operation->master;
    if (operation->arguments.slot != 0 && !command_slot_is_known(operation))
        return command_slot_refuse(operation);
    if (master->workers == 0 && operation->arguments.slot == 0)
        return operation_fail(operation, CONTROL_REFUSED,
                              "the instance pauses: scale or reload first");
    operation->mark = master->last_worker;
    operation->deadline_ms = now_ms + 2 * master->conf->instance.boot_timeout_ms;
    master->recycle_failures = 0;
    log_info("restarting the workers one by one, as ordered");
    return go_on_restarting(operation, now_ms);
}

const struct command command_restart = {
    .name = "restart",
    .arguments = " slot ",
    .clients = COMMAND_FOR_ALL,
    .patience = COMMAND_WITHOUT_CHANGES,
    .begin = begin_restarting,
    .go_on = go_on_restarting,
};
