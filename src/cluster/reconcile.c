#include "config.h"

#include "cluster/reconcile.h"

#include <inttypes.h>

#include "base/log.h"
#include "cluster/kill.h"
#include "cluster/master_state.h"
#include "cluster/table.h"
#include "cluster/reap.h"
#include "cluster/respawn.h"
#include "cluster/spawn.h"
#include "cluster/stop.h"
#include "conf/conf.h"

/* The line about a spent budget comes at most this often. */
#define COMPLAINT_MS 1000

/* What it means that a worker's deadline has come, unless the worker was condemned for a reason. */
static const char *const overdue[SLOT_STATES] = {
    [SLOT_STARTING] = "not ready in time",
    [SLOT_SERVING] = "its channel is lost",
    [SLOT_DRAINING] = "not finished in time",
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
    if (slot->state != SLOT_EMPTY || slot->held)
        return false;
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

/* To serve comes before to finish slowly: the table is full of workers that leave. */
static void make_room(struct master *master, int64_t now_ms)
{
    struct slot *leaver = table_oldest_leaver(master);
    if (leaver != NULL && table_count(master, SLOT_KILLED) == 0)
        kill_worker(leaver, "too many workers leave, its place is needed", now_ms);
}

static void refill(struct master *master, int64_t now_ms)
{
    for (unsigned number = 1; number <= master->workers; number++) {
        struct slot *slot = table_holder(master, number);
        if (slot == NULL) {
            make_room(master, now_ms);
            continue;
        }
        if (!may_refill(master, slot, now_ms))
            continue;
        if (slot->number != number)
            slot->failed_boots = 0;
        slot->number = number;
        spawn_worker(slot, now_ms);
    }
}

/* Nothing to wait for but a signal: every slot that matters is held back by its configuration. */
static bool is_hopeless(const struct master *master)
{
    unsigned held = 0;
    for (size_t i = 0; i < master->n_slots; i++)
        held += master->slots[i].held;
    return held >= master->workers;
}

static void check_crash_loop(struct master *master, int64_t now_ms)
{
    unsigned serving = table_count(master, SLOT_SERVING);
    bool hopeless = is_hopeless(master);
    bool looping = respawn_is_crash_loop(master->respawn, serving) || hopeless;
    if (looping && !master->degraded) {
        bool exits = master->conf->instance.on_crash_loop == CONF_CRASH_LOOP_EXIT;
        log_error("crash loop: no worker serves and %s (the last one: %s), %s",
                  hopeless ? "all exited with status 78" : "new ones fail to start",
                  master->last_death,
                  exits      ? "exiting (on_crash_loop = exit)"
                  : hopeless ? "none is tried again: correct the configuration and restart"
                             : "trying on with pauses");
        if (exits) {
            master->status = 1;
            stop_begin(master, WANT_STOP_FAST, now_ms);
        }
    } else if (!looping && master->degraded) {
        log_info("the crash loop is over");
    }
    master->degraded = looping;
}

static int64_t next_deadline(const struct master *master, int64_t now_ms)
{
    int64_t next_ms = master->refill_ms > now_ms ? master->refill_ms : INT64_MAX;
    for (size_t i = 0; i < master->n_slots; i++)
        if (master->slots[i].deadline_ms < next_ms)
            next_ms = master->slots[i].deadline_ms;
    return next_ms;
}

bool reconcile(struct master *master, int64_t now_ms, int64_t *ret_next_ms)
{
    unsigned wants = master->wants;
    master->wants = 0;
    if ((wants & WANT_REAP) != 0)
        reap_children(master, now_ms);
    stop_begin(master, wants, now_ms);
    check_deadlines(master, now_ms);
    if (master->phase == MASTER_RUNNING) {
        refill(master, now_ms);
        check_crash_loop(master, now_ms);
    }
    *ret_next_ms = next_deadline(master, now_ms);
    return master->phase == MASTER_RUNNING || !stop_is_complete(master);
}
