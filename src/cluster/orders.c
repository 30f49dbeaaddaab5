#include "config.h"

#include "cluster/orders.h"

#include <stddef.h>

#include "base/log.h"
#include "cluster/master_state.h"
#include "cluster/reload.h"
#include "cluster/reopen.h"
#include "cluster/strength.h"
#include "cluster/table.h"
#include "cluster/upgrade.h"

/*
 * What an order must wait for: a reload that moves the log; any reload or
 * upgrade under way; or also the workers that one has left behind.
 */
enum patience { WAITS_FOR_LOG, WAITS_FOR_CHANGES, WAITS_FOR_ELDERS };

static void reopen(struct master *master, int64_t now_ms)
{
    (void)now_ms;
    reopen_logs(master);
}

static void raise_strength(struct master *master, int64_t now_ms)
{
    (void)now_ms;
    strength_raise(master);
}

static void lower_strength(struct master *master, int64_t now_ms)
{
    (void)now_ms;
    strength_lower(master);
}

static void pause_all(struct master *master, int64_t now_ms)
{
    (void)now_ms;
    strength_pause(master);
}

/* In the order in which those that come together are carried out: a reload has the last word. */
static const struct {
    enum master_want want;
    enum patience patience;
    void (*act)(struct master *master, int64_t now_ms);
    const char *name;
} orders[] = {
    {WANT_REOPEN, WAITS_FOR_LOG, reopen, "reopening the log"},
    {WANT_MORE, WAITS_FOR_CHANGES, raise_strength, "one worker more"},
    {WANT_FEWER, WAITS_FOR_CHANGES, lower_strength, "one worker fewer"},
    {WANT_PAUSE, WAITS_FOR_CHANGES, pause_all, "the pause"},
    {WANT_UPGRADE, WAITS_FOR_ELDERS, upgrade_begin, "the upgrade"},
    {WANT_RELOAD, WAITS_FOR_ELDERS, reload_begin, "the reload"},
};

#define N_ORDERS (sizeof orders / sizeof orders[0])

static bool may_act(const struct master *master, enum patience patience)
{
    if (patience == WAITS_FOR_LOG)
        return !reload_moves_log(master);
    if (reload_is_active(master) || upgrade_is_active(master))
        return false;
    return patience == WAITS_FOR_CHANGES || !table_is_mixed(master);
}

void orders_take(struct master *master, unsigned wants, int64_t now_ms)
{
    unsigned waited = master->waiting;
    wants |= waited;
    master->waiting = 0;
    for (size_t i = 0; i < N_ORDERS; i++) {
        if ((wants & orders[i].want) == 0)
            continue;
        if (may_act(master, orders[i].patience)) {
            orders[i].act(master, now_ms);
            continue;
        }
        master->waiting |= orders[i].want;
        if ((waited & orders[i].want) == 0)
            log_info("%s waits until what is under way has finished", orders[i].name);
    }
}

bool orders_are_due(const struct master *master)
{
    for (size_t i = 0; i < N_ORDERS; i++)
        if ((master->waiting & orders[i].want) != 0 && may_act(master, orders[i].patience))
            return true;
    return false;
}
