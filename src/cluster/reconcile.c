#include "config.h"

#include "cluster/reconcile.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/balance.h"
#include "cluster/chronicle.h"
#include "cluster/control_link.h"
#include "cluster/generation.h"
#include "cluster/kill.h"
#include "cluster/master_state.h"
#include "cluster/orders.h"
#include "cluster/patrol.h"
#include "cluster/reap.h"
#include "cluster/recycling.h"
#include "cluster/reload.h"
#include "cluster/reopen.h"
#include "cluster/respawn.h"
#include "cluster/sharing.h"
#include "cluster/spawn.h"
#include "cluster/status.h"
#include "cluster/stop.h"
#include "cluster/succession.h"
#include "cluster/table.h"
#include "cluster/upgrade.h"
#include "cluster/writer.h"
#include "conf/conf.h"
#include "host/notify.h"
#include "ipc/scoreboard.h"

/* The line about a spent budget comes at most this often. */
#define COMPLAINT_MS 1000

/* What it means that a worker's deadline has come, unless the worker was condemned for a reason. */
static const char *const overdue[SLOT_STATES] = {
    [SLOT_STARTING] = "not ready in time",
    [SLOT_SERVING] = "its channel is lost",
    [SLOT_DRAINING] = "not finished in time",
    [SLOT_KILLED] = MASTER_HANGS,
};

static void check_overdue(struct slot *slot, int64_t now_ms)
{
    slot->deadline_ms = INT64_MAX;
    if (slot->state == SLOT_BACKOFF)
        slot_step(slot, SLOT_RETRY);
    else if (overdue[slot->state] != NULL)
        kill_worker(slot, slot->killed_for != NULL ? slot->killed_for : overdue[slot->state],
                    now_ms);
}

static void check_deadlines(struct master *master, int64_t now_ms)
{
    for (size_t i = 0; i < master->n_slots; i++) {
        struct slot *slot = &master->slots[i];
        if (now_ms >= slot->deadline_ms)
            check_overdue(slot, now_ms);
    }
}

static bool may_refill(struct master *master, struct slot *slot, int64_t now_ms)
{
    if (slot->state != SLOT_EMPTY || slot->held || slot->remains)
        return false;
    if (slot_role(slot) != ROLE_WORKER)
        return true; /* it waits for itself, and workers never wait for it */
    if (respawn_is_cautious(master->respawn) && table_count(master, SLOT_STARTING) > 0)
        return false;
    int64_t wait_ms = slot->crashed ? respawn_take(master->respawn, now_ms) : 0;
    if (wait_ms == 0)
        return true;
    if (now_ms - master->complained_ms >= COMPLAINT_MS) {
        log_warning("workers die too fast, replacing none for %" PRId64 " ms", wait_ms);
        master->complained_ms = now_ms;
    }
    master->refill_ms = now_ms + wait_ms;
    return false;
}

/* Who stands for this number, from now on if need be; NULL while there is no place. */
static struct slot *find_holder(struct master *master, unsigned number, int64_t now_ms)
{
    struct slot *slot = table_holder(master, number);
    if (slot != NULL)
        return slot;
    slot = table_candidate(master, number);
    if (slot != NULL && slot->generation == master->current->number) {
        succession_take_over(slot);
        return slot;
    }
    slot = table_free_place(master);
    if (slot == NULL) {
        succession_make_room(master, now_ms);
        return NULL;
    }
    slot->number = number;
    return slot;
}

static bool is_full(const struct master *master, const struct roll *roll)
{
    unsigned holders = 0;
    for (size_t i = 0; i < master->n_slots; i++) {
        const struct slot *slot = &master->slots[i];
        holders += slot_is_alive(slot->state) && roll_has(roll, slot->number) && !slot->leaving &&
                   !slot->candidate;
    }
    return holders >= roll_count(roll);
}

static void refill(struct master *master, int64_t now_ms)
{
    const struct roll roll = roll_make(master->conf, master->workers);
    if (is_full(master, &roll))
        return;
    for (unsigned number = 0; (number = roll_next(&roll, number)) != 0;) {
        struct slot *slot = find_holder(master, number, now_ms);
        if (slot != NULL && may_refill(master, slot, now_ms))
            spawn_worker(slot, now_ms);
    }
}

/* Nothing to wait for but a signal: every slot that matters is held back by its configuration. */
static bool is_hopeless(const struct master *master)
{
    unsigned held = 0;
    for (size_t i = 0; i < master->n_slots; i++) {
        const struct slot *slot = &master->slots[i];
        held += slot->held && !slot->leaving && slot_role(slot) == ROLE_WORKER &&
                slot->number <= master->workers;
    }
    return held >= master->workers;
}

static void check_crash_loop(struct master *master, int64_t now_ms)
{
    unsigned serving = table_count(master, SLOT_SERVING);
    bool hopeless = is_hopeless(master);
    bool looping =
        master->workers > 0 && (respawn_is_crash_loop(master->respawn, serving) || hopeless);
    if (looping && !master->degraded) {
        notify_send("STATUS=Degraded: no worker serves (the last one: %s)", master->last_death);
        bool exits = master->conf->instance.on_crash_loop == CONF_CRASH_LOOP_EXIT;
        log_error("crash loop: no worker serves and %s (the last one: %s), %s",
                  hopeless ? "all exited with status 78" : "new ones fail to start",
                  master->last_death,
                  exits      ? "exiting (on_crash_loop = exit)"
                  : hopeless ? "none is tried again: correct the configuration and reload"
                             : "trying on with pauses");
        chronicle(master, JOURNAL_CRASH_LOOP, NULL, "no worker serves (the last one: %s)",
                  master->last_death);
        if (exits) {
            master->status = 1;
            stop_begin(master, WANT_STOP_FAST, now_ms);
        }
    } else if (!looping && master->degraded) {
        log_info("the crash loop is over");
        chronicle(master, JOURNAL_RECOVERED, NULL, "the crash loop is over");
        notify_send("STATUS=Generation %u serves", master->current->number);
    }
    master->degraded = looping;
}

static int64_t earliest_change(const struct master *master, int64_t next_ms)
{
    if (reload_is_active(master) && master->reload.deadline_ms < next_ms)
        next_ms = master->reload.deadline_ms;
    if (upgrade_is_active(master) && master->upgrade.deadline_ms < next_ms)
        next_ms = master->upgrade.deadline_ms;
    return next_ms;
}

static int64_t next_deadline(const struct master *master, int64_t now_ms)
{
    int64_t looks_ms = control_link_due_ms(master, now_ms);
    int64_t next_ms = master->patrol_ms < looks_ms ? master->patrol_ms : looks_ms;
    if (master->wants != 0)
        return now_ms; /* an order came by the control socket in this turn */
    int64_t balance_ms = balance_due_ms(master, now_ms);
    if (balance_ms < next_ms)
        next_ms = balance_ms;
    if (master->refill_ms > now_ms && master->refill_ms < next_ms)
        next_ms = master->refill_ms;
    if (master->phase == MASTER_RUNNING)
        next_ms = orders_are_due(master) ? now_ms : earliest_change(master, next_ms);
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].deadline_ms < next_ms)
            next_ms = master->slots[i].deadline_ms;
    return next_ms;
}

static void announce_readiness(struct master *master)
{
    if (master->ready || table_count(master, SLOT_SERVING) == 0)
        return;
    master->ready = true;
    notify_send("READY=1\nMAINPID=%d\nSTATUS=Generation %u serves", (int)master->pid,
                master->current->number);
}

/* What a master that does not stop does in a turn. */
static void run(struct master *master, unsigned wants, int64_t now_ms)
{
    orders_take(master, wants, now_ms);
    upgrade_step(master, now_ms);
    if (reload_is_active(master)) {
        reload_step(master, now_ms);
    } else {
        recycling_step(master, now_ms);
        sharing_step(master, now_ms);
    }
    refill(master, now_ms);
    check_crash_loop(master, now_ms);
    announce_readiness(master);
}

/* During a stop; to open the log again is the order that counts in a long one. */
static void linger(struct master *master, unsigned wants, int64_t now_ms)
{
    if ((wants & WANT_REOPEN) != 0)
        reopen_logs(master);
    stop_step(master, now_ms);
}

/* What others read of the instance as a whole. */
static void show(struct master *master)
{
    const struct scoreboard_instance instance = {
        .started_ms = master->started_ms,
        .beat_ms = clock_now_ms(),
        .condition = status_condition(master),
        .generation = master->current->number,
        .upgrades = master->upgrades,
        .strength = master->workers,
    };
    scoreboard_set_instance(master->scoreboard, &instance);
}

bool reconcile(struct master *master, int64_t now_ms, int64_t *ret_next_ms)
{
    unsigned wants = master->wants;
    master->wants = 0;
    if ((wants & WANT_REAP) != 0)
        reap_children(master, now_ms);
    balance_step(master);
    stop_begin(master, wants, now_ms);
    check_deadlines(master, now_ms);
    patrol(master, now_ms);
    if (master->phase == MASTER_RUNNING)
        run(master, wants, now_ms);
    else
        linger(master, wants, now_ms);
    writer_step(master);
    show(master);
    control_link_step(master, now_ms);
    *ret_next_ms = next_deadline(master, now_ms);
    return master->phase == MASTER_RUNNING || !stop_is_complete(master);
}
