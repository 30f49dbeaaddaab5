#include "config.h"

#include "cluster/patrol.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/generation.h"
#include "cluster/kill.h"
#include "cluster/listeners.h"
#include "cluster/master_state.h"
#include "cluster/recycling.h"
#include "cluster/reload.h"
#include "cluster/table.h"
#include "conf/conf.h"
#include "host/cgroup_meter.h"
#include "host/notify.h"
#include "host/pidfile.h"
#include "ipc/scoreboard.h"

static void count_fair_time(struct master *master, int64_t now_ms)
{
    const struct hang_clocks clocks = {
        .monotonic_ms = now_ms,
        .boottime_ms = clock_boottime_ms(),
        .throttled_us = cgroup_meter_throttled_us(master->meter),
    };
    hang_tick(&master->watch, &clocks);
}

/* Workers that boot have their own deadline; those that are being killed, too. */
static void check_pulse(struct slot *slot, int64_t now_ms)
{
    const struct master *master = slot->master;
    int64_t timeout_ms = master->conf->instance.hang_timeout_ms;
    struct scoreboard_work work;
    if (slot->state != SLOT_SERVING && slot->state != SLOT_DRAINING)
        return;
    scoreboard_read_work(slot_board(slot), &work);
    sample_count(&slot->sample, work.requests, slot->started_ms, now_ms);
    int64_t silence_ms = hang_silence_ms(&master->watch, &slot->pulse, work.heartbeat_ms);
    if (timeout_ms > 0 && silence_ms >= timeout_ms)
        kill_hung(slot, silence_ms, now_ms);
}

/* Of all workers, the dead included: their places keep what they have counted. */
static void count_requests(struct master *master, int64_t now_ms)
{
    struct scoreboard_traffic traffic;
    uint64_t n = 0;
    for (size_t i = 0; i < master->n_slots; i++) {
        scoreboard_read_traffic(slot_board(&master->slots[i]), &traffic);
        n += scoreboard_answers(&traffic);
    }
    sample_count(&master->sample, n, master->started_ms, now_ms);
}

/* Its folder may vanish and come back: said once, tried each time. */
static void check_pidfile(struct master *master)
{
    if (master->pidfile == NULL)
        return;
    const char *path = pidfile_path(master->pidfile);
    int result = pidfile_check(master->pidfile);
    if (result > 0)
        log_warning("the pid file %s was gone or replaced, wrote it again", path);
    else if (result < 0 && result != master->pidfile_error)
        log_warning("the pid file %s is gone or replaced and cannot be written: %s, trying on",
                    path, strerror(-result));
    master->pidfile_error = result < 0 ? result : 0;
}

static int64_t period_ms(void)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    return watchdog_ms > 0 && watchdog_ms < HANG_TICK_MS ? watchdog_ms : HANG_TICK_MS;
}

void patrol(struct master *master, int64_t now_ms)
{
    if (now_ms < master->patrol_ms)
        return;
    master->patrol_ms = now_ms + period_ms();
    count_fair_time(master, now_ms);
    for (size_t i = 0; i < master->n_slots; i++)
        check_pulse(&master->slots[i], now_ms);
    count_requests(master, now_ms);
    if (master->phase == MASTER_RUNNING && !reload_is_active(master))
        recycling_look(master, now_ms);
    check_pidfile(master);
    for (int purpose = 0; purpose < PURPOSES; purpose++)
        listeners_check(master->current->listeners[purpose]);
    if (notify_watchdog_ms() > 0)
        notify_send("WATCHDOG=1");
}
